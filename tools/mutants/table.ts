// Every planted bug by area, and those of the list that have no place yet.

import type { DeferredMutant, Mutant } from './mutant.ts'
import { ADMIN_MUTANTS } from './tables/admin.ts'
import { APPLY_MUTANTS } from './tables/apply.ts'
import { CHART_MUTANTS } from './tables/charts.ts'
import { CLIENT_MUTANTS } from './tables/client.ts'
import { COMMAND_MUTANTS } from './tables/commands.ts'
import { COMPLETION_MUTANTS } from './tables/completions.ts'
import { DISASTER_MUTANTS } from './tables/disaster.ts'
import { ELECTION_MUTANTS } from './tables/elections.ts'
import { EMBEDDING_MUTANTS } from './tables/embedding.ts'
import { HOST_MUTANTS } from './tables/host.ts'
import { LOG_MUTANTS } from './tables/log.ts'
import { LOG_LINE_MUTANTS } from './tables/log-lines.ts'
import { MACHINE_MUTANTS } from './tables/machines.ts'
import { MEMBERSHIP_MUTANTS } from './tables/membership.ts'
import { METRICS_MUTANTS } from './tables/metrics.ts'
import { OFFLINE_MUTANTS } from './tables/offline.ts'
import { OPERATED_SNAPSHOT_MUTANTS } from './tables/operated-snapshots.ts'
import { OPERATOR_MUTANTS } from './tables/operators.ts'
import { PAGE_MUTANTS } from './tables/page.ts'
import { PRESENCE_MUTANTS } from './tables/presence.ts'
import { PRIORITY_MUTANTS } from './tables/priorities.ts'
import { QUIESCENCE_MUTANTS } from './tables/quiescence.ts'
import { READONLY_MUTANTS } from './tables/readonly.ts'
import { REPLICATED_MUTANTS } from './tables/replicated.ts'
import { REPLICATION_MUTANTS } from './tables/replication.ts'
import { SERVICES_MUTANTS } from './tables/services.ts'
import { SNAPSHOT_EXECUTOR_MUTANTS } from './tables/snapshot-executor.ts'
import { SNAPSHOT_RULE_MUTANTS } from './tables/snapshot-rules.ts'
import { SNAPSHOT_SHIPPING_MUTANTS } from './tables/snapshots.ts'
import { STORAGE_MUTANTS } from './tables/storage.ts'
import { TRANSFER_MUTANTS } from './tables/transfers.ts'
import { TRANSPORT_MUTANTS } from './tables/transport.ts'
import { USER_SNAPSHOT_MUTANTS } from './tables/user-snapshots.ts'
import { WATCHING_MUTANTS } from './tables/watching.ts'
import { WITNESS_MUTANTS } from './tables/witnesses.ts'

export const MUTANTS_BY_AREA = {
  elections: ELECTION_MUTANTS,
  presence: PRESENCE_MUTANTS,
  quiescence: QUIESCENCE_MUTANTS,
  transfers: [...TRANSFER_MUTANTS, ...PRIORITY_MUTANTS],
  replication: [...REPLICATION_MUTANTS, ...READONLY_MUTANTS],
  membership: [...MEMBERSHIP_MUTANTS, ...DISASTER_MUTANTS, ...WITNESS_MUTANTS],
  charts: CHART_MUTANTS,
  completions: COMPLETION_MUTANTS,
  log: LOG_MUTANTS,
  apply: APPLY_MUTANTS,
  host: [...HOST_MUTANTS, ...OFFLINE_MUTANTS],
  embedding: EMBEDDING_MUTANTS,
  snapshots: [
    ...SNAPSHOT_RULE_MUTANTS,
    ...SNAPSHOT_SHIPPING_MUTANTS,
    ...SNAPSHOT_EXECUTOR_MUTANTS,
    ...USER_SNAPSHOT_MUTANTS,
    ...OPERATED_SNAPSHOT_MUTANTS,
  ],
  storage: STORAGE_MUTANTS,
  services: [...SERVICES_MUTANTS, ...ADMIN_MUTANTS],
  watching: WATCHING_MUTANTS,
  'log-lines': LOG_LINE_MUTANTS,
  page: PAGE_MUTANTS,
  commands: COMMAND_MUTANTS,
  machines: MACHINE_MUTANTS,
  client: [...CLIENT_MUTANTS, ...OPERATOR_MUTANTS],
  transport: TRANSPORT_MUTANTS,
  metrics: METRICS_MUTANTS,
  replicated: REPLICATED_MUTANTS,
} as const satisfies Readonly<Record<string, readonly Mutant[]>>

export type Area = keyof typeof MUTANTS_BY_AREA
export const AREAS = Object.keys(MUTANTS_BY_AREA).filter((name): name is Area => name in MUTANTS_BY_AREA)

export const MUTANTS: readonly Mutant[] = AREAS.flatMap((area) => [...MUTANTS_BY_AREA[area]]).sort(
  (a, b) => (a.number ?? 99) - (b.number ?? 99),
)

export const DEFERRED: readonly DeferredMutant[] = []
