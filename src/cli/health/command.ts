// `quorate health`: one question, answered by the exit code: does this group work?

import { setTimeout as pause } from 'node:timers/promises'
import { Command } from 'commander'
import type { GroupStatus, QuorateClient } from '../../client.ts'
import type { LogIndex, PeerId } from '../../rules/types.ts'
import { systemClock } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import { withClient } from '../client-session.ts'
import { type ClientFlags, clientOptions } from '../common-options.ts'
import { checkRead } from '../doctor/group-checks.ts'
import { ExitCode, sentenceOf } from '../exit.ts'
import { paint, printJson, printLine, say } from '../output.ts'

interface HealthFlags extends ClientFlags {
  readonly commit?: boolean
}

interface Health {
  readonly group: string
  readonly healthy: boolean
  readonly leader: PeerId | null
  readonly term: number
  /** Who answers, and who of the configuration does not. */
  readonly answering: readonly PeerId[]
  readonly unreachable: readonly PeerId[]
  /** With --commit: what was written, and who had applied it when a majority had. */
  readonly commit: Commit | null
  /** What is wrong, in one sentence; null: nothing. */
  readonly problem: string | null
}

interface Commit {
  readonly index: LogIndex
  readonly tookMs: number
  readonly appliedBy: readonly PeerId[]
}

const STATUS_WAIT_MS = 500
const LOOK_AGAIN_MS = 20
/** The session that stands for a write is closed at once; this is for when that gets lost. */
const IDLE_MS = 1000

export function healthCommand(): Command {
  const command = new Command('health').description('tell by the exit code whether a group works')
  for (const option of clientOptions()) command.addOption(option)
  command.option(
    '--commit',
    'also write an entry (no data of the machine) and wait until a majority has applied it',
  )
  command.addHelpText(
    'after',
    `\nExamples:\n  quorate health --group demo && echo fine\n  quorate health --group demo --commit --timeout 2000 --json
\nHealthy is a group whose leader a majority confirms. Exit 0 when it is, 1 when it is not, 2 for a wrong call.`,
  )
  return command.action(async () => {
    const flags = command.opts<HealthFlags>()
    const health = await withClient(flags, (client) => examine(client, flags)).catch((error: unknown) =>
      unhealthy(flags, null, sentenceOf(messageOf(error))),
    )
    if (flags.json === true) printJson(health)
    else tell(health)
    if (!health.healthy) process.exitCode = ExitCode.FAILED
  })
}

async function examine(client: QuorateClient, flags: HealthFlags): Promise<Health> {
  const read = await checkRead(client)
  const status = await client.status({ timeoutMs: Math.min(STATUS_WAIT_MS, flags.timeout) })
  if (read.verdict === 'problem') return unhealthy(flags, status, sentenceOf(read.says))
  try {
    const commit = flags.commit === true ? await writeAndReadBack(client, flags.timeout) : null
    return { ...seen(flags, status), healthy: true, commit, problem: null }
  } catch (error) {
    return unhealthy(flags, status, sentenceOf(messageOf(error)))
  }
}

/** A session is begun and ended: two entries that no state machine of a user gets to see. */
async function writeAndReadBack(client: QuorateClient, timeoutMs: number): Promise<Commit> {
  const startedMs = systemClock.nowMs()
  const session = await client.session({ idleMs: IDLE_MS })
  const index = session.id
  for (;;) {
    const { members, unreachable } = await client.status({ timeoutMs: Math.min(STATUS_WAIT_MS, timeoutMs) })
    const appliedBy = members.filter(({ appliedIndex }) => appliedIndex >= index).map(({ id }) => id)
    const tookMs = Math.round((systemClock.nowMs() - startedMs) * 10) / 10
    if (appliedBy.length * 2 > members.length + unreachable.length) {
      await session.close()
      return { index, tookMs, appliedBy }
    }
    if (tookMs > timeoutMs) {
      const by = appliedBy.length === 0 ? 'by nobody' : `only by ${appliedBy.join(', ')}`
      throw new Error(`Entry ${index} was committed, and applied ${by} within ${timeoutMs} ms`)
    }
    await pause(LOOK_AGAIN_MS)
  }
}

function seen({ group }: HealthFlags, status: GroupStatus | null) {
  const leader = status?.leader ?? null
  return {
    group,
    leader,
    term: status?.members.find(({ id }) => id === leader)?.term ?? 0,
    answering: status?.members.map(({ id }) => id) ?? [],
    unreachable: status?.unreachable ?? [],
  }
}

function unhealthy(flags: HealthFlags, status: GroupStatus | null, problem: string): Health {
  return { ...seen(flags, status), healthy: false, commit: null, problem }
}

function tell({ group, healthy, leader, term, answering, unreachable, commit, problem }: Health): void {
  const total = answering.length + unreachable.length
  const away = unreachable.length === 0 ? '' : ` (not ${unreachable.join(', ')})`
  if (!healthy) return say(`${paint('red', 'Not healthy', process.stderr)}: ${problem}`)
  const wrote =
    commit === null
      ? ''
      : ` Entry ${commit.index} was applied by ${commit.appliedBy.join(', ')} within ${commit.tookMs} ms.`
  printLine(
    `${paint('green', 'Healthy')}: ${leader} leads ${group} in term ${term}, ${answering.length} of ${total} members answer${away}.${wrote}`,
  )
}
