// `quorate verify`: whether all members of a group have the same state, or whether the files of one are whole.

import { Command, Option } from 'commander'
import { AdminAsker } from '../../client/admin-asker.ts'
import { askStatus } from '../../client/status.ts'
import { membersSubject } from '../../protocol/subjects.ts'
import { systemClock } from '../../runtime/clock.ts'
import { openBus } from '../bus.ts'
import { type ClientFlags, clientOptions } from '../common-options.ts'
import { verifyDirectory } from '../doctor/directory-checks.ts'
import { formatFindings } from '../doctor/finding.ts'
import { withBar } from '../doctor/progress-bar.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { formatTable, printJson, printLine } from '../output.ts'
import { hashesAtOneIndex, type MemberHash } from './common-index.ts'
import { judge } from './verdict.ts'

interface VerifyFlags extends ClientFlags {
  readonly data?: string
}

const STATUS_WAIT_MS = 500

export function verifyCommand(): Command {
  const command = new Command('verify').description(
    'compare the states of all members, or check the files of one',
  )
  for (const option of clientOptions()) command.addOption(option)
  command.addOption(new Option('--data <dir>', "check a member's files, stopped or running, and no group"))
  command.addHelpText(
    'after',
    `\nExamples:\n  quorate verify --group demo --nats nats://127.0.0.1:4222\n  quorate verify --data ./n1
\nExit 1 when states differ, a member does not answer, or files are damaged.\n${EXIT_CODES_HELP}`,
  )
  return command.action(async () => {
    const flags = command.opts<VerifyFlags>()
    if (flags.data === undefined) await verifyGroup(flags)
    else verifyFiles(flags.data, flags.json === true)
  })
}

async function verifyGroup(flags: VerifyFlags): Promise<void> {
  const { group } = flags
  const hashes = await compare(flags)
  if (hashes.length === 0)
    throw new CliError(ExitCode.FAILED, `No member of group ${group} answers on ${flags.nats}.`)
  const { says, ...verdict } = judge(group, hashes)
  if (flags.json === true)
    printJson({ group, ...verdict, members: hashes.map(({ hasNone: _, ...told }) => told) })
  else printLine(formatHashes(hashes))
  const without = hashes.find(({ hasNone }) => hasNone)
  if (without?.problem != null && hashes.every(({ hasNone }) => hasNone))
    throw new CliError(ExitCode.FAILED, without.problem)
  if (!verdict.equal) throw new CliError(ExitCode.FAILED, says)
  if (flags.json !== true) printLine(says)
}

async function compare(flags: VerifyFlags): Promise<readonly MemberHash[]> {
  const { group, prefix, timeout: timeoutMs, as: id } = flags
  const transport = await openBus({ flags, id, timeoutMs })
  const asker = new AdminAsker({ transport, prefix, group, clock: systemClock })
  const subject = membersSubject(prefix, group, 'status')
  const status = () =>
    askStatus({
      ...{ requester: asker.requester, clock: systemClock, group, subject },
      timeoutMs: Math.min(STATUS_WAIT_MS, timeoutMs),
    })
  try {
    return await hashesAtOneIndex({ asker, status, timeoutMs })
  } finally {
    asker.close()
    await transport.close()
  }
}

function formatHashes(hashes: readonly MemberHash[]): string {
  return formatTable<MemberHash>(
    [
      { head: 'member', cell: ({ member }) => member },
      { head: 'index', align: 'right', cell: ({ index, hash }) => (hash === null ? '' : String(index)) },
      { head: 'state hash', cell: ({ hash }) => hash ?? 'not known' },
    ],
    hashes,
  )
}

function verifyFiles(dataDir: string, asJson: boolean): void {
  const findings = withBar((onProgress) => verifyDirectory(dataDir, onProgress))
  const problems = findings.filter(({ verdict }) => verdict === 'problem')
  if (asJson) printJson({ data: dataDir, whole: problems.length === 0, findings })
  else printLine(formatFindings(findings))
  if (problems.length > 0) process.exitCode = ExitCode.FAILED
}
