// `quorate status`: how every member of a group is, once or again and again.

import { setTimeout as pause } from 'node:timers/promises'
import { Command, Option } from 'commander'
import type { GroupStatus, QuorateClient } from '../../client.ts'
import { systemClock } from '../../runtime/clock.ts'
import { withClient } from '../client-session.ts'
import { type ClientFlags, clientOptions, parseCount } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { paint, printJson, printLine } from '../output.ts'
import { takeSignals } from '../signals.ts'
import type { CommitRates } from './rates.ts'
import { formatStatus } from './rows.ts'
import { Transfers } from './transfers.ts'

interface StatusFlags extends ClientFlags {
  readonly watch?: boolean
  readonly interval: number
}

const ANSWER_WAIT_MS = 500

export function statusCommand(): Command {
  const command = new Command('status').description(
    'show role, term, indexes and replication of every member',
  )
  for (const option of clientOptions()) command.addOption(option)
  command.option('--watch', 'show it again and again')
  command.addOption(
    new Option('--interval <ms>', 'pause of --watch')
      .default(1000)
      .argParser(parseCount('milliseconds', 50, 3_600_000)),
  )
  command.addHelpText(
    'after',
    `\nExample:\n  quorate status --group demo --watch\n\nExit 3 when members answer but none leads, 1 when nobody answers.\n${EXIT_CODES_HELP}`,
  )
  return command.action(() => {
    const flags = command.opts<StatusFlags>()
    return withClient(flags, (client) => (flags.watch === true ? watch(client, flags) : once(client, flags)))
  })
}

async function once(client: QuorateClient, flags: StatusFlags): Promise<void> {
  const status = await client.status({ timeoutMs: Math.min(ANSWER_WAIT_MS, flags.timeout) })
  if (flags.json === true) tellJson(status)
  else printLine(describe(status, new Transfers(), null))
  if (status.members.length === 0)
    throw new CliError(ExitCode.FAILED, `No member of group ${flags.group} answers on ${flags.nats}.`)
  if (status.leader === null)
    throw new CliError(ExitCode.NO_LEADER, `Group ${flags.group} has no leader at the moment.`)
}

/** Until a signal ends it. */
async function watch(client: QuorateClient, flags: StatusFlags): Promise<void> {
  const interrupted = new AbortController()
  takeSignals(() => interrupted.abort())
  // Only here: what draws takes as long to load as everything that one look needs.
  const [{ default: logUpdate }, { CommitRates }] = await Promise.all([
    import('log-update'),
    import('./rates.ts'),
  ])
  const transfers = new Transfers()
  const rates = new CommitRates()
  while (!interrupted.signal.aborted) {
    const status = await client.status({ timeoutMs: Math.min(ANSWER_WAIT_MS, flags.timeout) })
    if (flags.json === true) tellJson(status)
    else {
      const text = describe(status, transfers, rates)
      // On a terminal only the lines that differ are written.
      if (process.stdout.isTTY) logUpdate(text)
      else printLine(text)
    }
    await pause(flags.interval, undefined, { signal: interrupted.signal }).catch(() => {})
  }
  if (process.stdout.isTTY) logUpdate.done()
}

function tellJson({ group, leader, members, unreachable }: GroupStatus): void {
  printJson({ group, leader, members, unreachable })
}

function describe(status: GroupStatus, transfers: Transfers, rates: CommitRates | null): string {
  const { group, members, unreachable, leader } = status
  const nowMs = systemClock.nowMs()
  const summary = leader === null ? 'no leader' : `leader ${leader}`
  const head = `${paint('bold', `Group ${group}`)}: ${members.length} members answer, ${summary}`
  const rate = rates?.describe(status, nowMs) ?? null
  const table =
    members.length + unreachable.length > 0 ? [formatStatus(status, transfers.describe(status, nowMs))] : []
  return [head, ...(rate === null ? [] : [rate]), ...table].join('\n')
}
