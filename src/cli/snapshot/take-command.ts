// `quorate snapshot take`: has members save their state now.

import { Command, Option } from 'commander'
import type { SnapshotSummary } from '../../protocol/snapshot-protocol.ts'
import { type ClientFlags, clientOptions, parseMember } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode, exitCodeOf, sentenceOf } from '../exit.ts'
import { printJson, printLine, say } from '../output.ts'
import { formatSize } from '../units.ts'
import { type GroupSession, withGroup } from './session.ts'

interface TakeFlags extends ClientFlags {
  readonly member?: string
  readonly all?: boolean
}

/** A large state takes its time. A member may answer for a minute (`quorate permissions`). */
const PATIENCE_MS = 60_000

export function takeCommand(): Command {
  const command = new Command('take').description('have a member save its state now, and its log begin later')
  for (const option of clientOptions()) {
    if (option.long === '--timeout') option.default(PATIENCE_MS)
    command.addOption(option)
  }
  command.addOption(new Option('--member <name>', 'which one (default: the leader)').argParser(parseMember))
  command.addOption(new Option('--all', 'every member that answers').conflicts('member'))
  command.addHelpText(
    'after',
    `\nExamples:\n  quorate snapshot take --group demo\n  quorate snapshot take --group demo --all
\nExit 5 when a member is busy with another snapshot: try again. Exit 4 when it has not answered in time; it goes on.\n${EXIT_CODES_HELP}`,
  )
  return command.action(() => {
    const flags = command.opts<TakeFlags>()
    return withGroup(flags, (session) => take(session, flags))
  })
}

async function take(session: GroupSession, flags: TakeFlags): Promise<void> {
  const members = await membersOf(session, flags)
  const outcomes = await Promise.all(
    members.map(async (member) => {
      try {
        const snapshot = await session.member(member).take()
        tell(member, snapshot, flags.json === true)
        return null
      } catch (error) {
        say(`${member}: ${sentenceOf(error)}`)
        return exitCodeOf(error)
      }
    }),
  )
  const failed = outcomes.find((code) => code !== null)
  if (failed !== undefined && failed !== null) process.exitCode = failed
}

async function membersOf(
  session: GroupSession,
  { member, all, group, nats }: TakeFlags,
): Promise<readonly string[]> {
  if (member !== undefined) return [member]
  if (all !== true) return [await session.leader()]
  const { members } = await session.status()
  if (members.length === 0)
    throw new CliError(ExitCode.FAILED, `No member of group ${group} answers on ${nats}.`)
  return members.map(({ id }) => id)
}

function tell(member: string, snapshot: SnapshotSummary, asJson: boolean): void {
  if (asJson) return printJson({ member, ...snapshot })
  const { lastIncludedIndex, lastIncludedTerm, bytes, files } = snapshot
  const what = `${formatSize(bytes)} in ${files} file${files === 1 ? '' : 's'}`
  printLine(`${member}: snapshot up to index ${lastIncludedIndex}, term ${lastIncludedTerm}, ${what}.`)
}
