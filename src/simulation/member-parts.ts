// What a simulated member is made of, as the options of its simulation say, and how what is on its disk is shown.

import type { LogEntry, PeerId } from '../rules/types.ts'
import type { SnapshotRecord } from '../storage/snapshot-store.ts'
import { MemoryTables } from '../storage/snapshots/memory-tables.ts'
import { GroupImage } from './disk/disk-image.ts'
import { type DiskObserver, SimDisk } from './disk/sim-disk.ts'
import { GROUP, type SimMemberOptions } from './sim-member.ts'
import type { DurableState, SimulationOptions } from './simulation-options.ts'
import type { Scheduler } from './time/scheduler.ts'
import { streamOf } from './time/sim-random.ts'

type MemberSettings = Pick<
  SimMemberOptions,
  | 'id'
  | 'peers'
  | 'seed'
  | 'comparesEntries'
  | 'clockRate'
  | 'timerLag'
  | 'deferLag'
  | 'lookMs'
  | 'scribbles'
  | 'rude'
  | 'machinePace'
>

export function memberSettings(id: PeerId, options: SimulationOptions): MemberSettings {
  return {
    id,
    peers: options.joiners?.includes(id) === true ? [] : options.nodes,
    seed: options.seed,
    comparesEntries: options.stateMachine !== undefined,
    clockRate: options.clockRates?.[id] ?? 1,
    timerLag: options.timerLag,
    deferLag: options.deferLag,
    lookMs: options.lookMs ?? 0,
    scribbles: options.scribbles ?? false,
    rude: options.rude ?? false,
    machinePace: options.machinePace ?? null,
  }
}

export function createDisk(
  id: PeerId,
  { seed, disk: latency, inheritedConfiguration, joiners = [], identities = false }: SimulationOptions,
  scheduler: Scheduler,
  observer: DiskObserver,
): SimDisk {
  const disk = new SimDisk({
    id,
    scheduler,
    random: streamOf(seed, `${id} disk`),
    ...{ observer, identity: identities ? 1 : 0 },
    ...(latency === undefined ? {} : { latency }),
  })
  if (inheritedConfiguration !== undefined && !joiners.includes(id))
    disk.restore({
      groups: new Map([[GROUP, GroupImage.inherited(GROUP, inheritedConfiguration, identities ? 1 : 0)]]),
      snapshots: new MemoryTables(),
    })
  return disk
}

export function durableStateOf(image: GroupImage | null, record: SnapshotRecord | null): DurableState {
  const snapshot = record?.meta ?? null
  if (image === null) return { term: 0, votedFor: null, entries: [], snapshot }
  const { hardState, firstIndex, lastIndex } = image
  const entries: LogEntry[] = []
  for (let index = firstIndex; index <= lastIndex; index++) {
    const entry = image.entryAt(index)
    if (entry !== null) entries.push(entry)
  }
  return { term: hardState?.term ?? 0, votedFor: hardState?.votedFor ?? null, entries, snapshot }
}
