// `quorate doctor`: looks at a running group, at a member's files, or at both, and says what is not as it should be.

import { setTimeout as pause } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { connectClient, type GroupStatus, type QuorateClient } from '../../client.ts'
import { isQuorateError } from '../../errors.ts'
import { systemClock } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import { openBus } from '../bus.ts'
import { type ClientFlags, clientOptions } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { printJson, printLine } from '../output.ts'
import { checkBus } from './agreement-checks.ts'
import { watchOwnClock } from './clock-checks.ts'
import { checkDirectory } from './directory-checks.ts'
import { type Finding, fine, formatFindings, problem } from './finding.ts'
import { checkGroup, checkRead } from './group-checks.ts'
import { checkPermissions, RefusalsHeard, tryPermissions } from './permission-checks.ts'
import { withBar } from './progress-bar.ts'
import { both, checkReach, silencesOf } from './reach-checks.ts'
import { checkSync } from './sync-checks.ts'

interface DoctorFlags extends ClientFlags {
  readonly data?: string
  /** False with `--no-bus`. */
  readonly bus: boolean
}

const STATUS_WAIT_MS = 1000
/** What an election under way looks like a cut for. */
const LOOK_AGAIN_MS = 1000
const OLDEST_NODE: readonly [major: number, minor: number] = [20, 19]

export function doctorCommand(): Command {
  const command = new Command('doctor').description('check a running group, and the files of a member')
  for (const option of clientOptions()) command.addOption(option)
  command.addOption(new Option('--data <dir>', "also look at a member's files, stopped or running"))
  command.addOption(new Option('--no-bus', 'look at the files only'))
  command.addHelpText(
    'after',
    `\nExamples:\n  quorate doctor --group demo --nats nats://127.0.0.1:4222\n  quorate doctor --data ./n1 --no-bus
\nExit 1 when there is a problem; a warning is none.\n${EXIT_CODES_HELP}`,
  )
  return command.action(async () => {
    const flags = command.opts<DoctorFlags>()
    if (!flags.bus && flags.data === undefined)
      throw new CliError(ExitCode.USAGE, 'With --no-bus there is nothing to look at but --data.')
    const checkOwnClock = watchOwnClock()
    const findings = [
      checkNode(process.versions.node),
      ...(flags.data === undefined ? [] : await lookAtFiles(flags.data)),
      ...(flags.bus ? await visit(flags) : []),
      checkOwnClock(),
    ]
    show(findings, flags.json === true)
  })
}

function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])
  return isOld
    ? problem('node', `Node ${version} is too old: use ${OLDEST_NODE.join('.')} or newer.`)
    : fine('node', `Node ${version}.`)
}

async function lookAtFiles(dataDir: string): Promise<readonly Finding[]> {
  const found = withBar((onProgress) => checkDirectory(dataDir, onProgress))
  const isThere = found.every(({ check, verdict }) => check !== 'data directory' || verdict === 'ok')
  return isThere ? [...found, await checkSync(dataDir)] : found
}

async function visit(flags: DoctorFlags): Promise<readonly Finding[]> {
  const { group, prefix, timeout: timeoutMs, as } = flags
  const heard = new RefusalsHeard()
  const transport = await openBus({ flags, id: as, timeoutMs, logger: heard.logger }).catch(
    (error: unknown) => {
      if (isQuorateError(error) && error.code === 'INVALID') throw error
      return problem('bus', messageOf(error))
    },
  )
  if ('verdict' in transport) return [transport]
  const client = connectClient({ transport, group, prefix, timeoutMs, name: as })
  try {
    tryPermissions(transport, { group, prefix, as })
    const found = await ask(client, Math.min(STATUS_WAIT_MS, timeoutMs))
    const isServing = found.findings.some(({ check, verdict }) => check === 'leader' && verdict === 'ok')
    const read = isServing ? [await checkRead(client)] : []
    return [
      checkBus(transport.status(), found.status.members),
      checkPermissions(heard.refused, { group, prefix, as }),
      ...found.findings,
      ...read,
    ]
  } finally {
    client.close()
    await transport.close()
  }
}

interface Asked {
  readonly status: GroupStatus
  readonly findings: readonly Finding[]
}

async function ask(client: QuorateClient, timeoutMs: number): Promise<Asked> {
  const startedMs = systemClock.nowMs()
  const status = await client.status({ timeoutMs })
  const findings = checkGroup(status, systemClock.nowMs() - startedMs)
  if (status.members.length === 0) return { status, findings }
  const silences = silencesOf(status)
  const seenTwice = silences.length === 0 ? [] : both(silences, await askAgain(client, timeoutMs))
  return { status, findings: [...findings, ...checkReach(seenTwice, status)] }
}

async function askAgain(client: QuorateClient, timeoutMs: number): Promise<ReturnType<typeof silencesOf>> {
  await pause(LOOK_AGAIN_MS)
  return silencesOf(await client.status({ timeoutMs }))
}

function show(findings: readonly Finding[], asJson: boolean): void {
  const problems = findings.filter(({ verdict }) => verdict === 'problem').length
  const warnings = findings.filter(({ verdict }) => verdict === 'warning').length
  if (asJson) printJson({ healthy: problems === 0, problems, warnings, findings })
  else {
    printLine(formatFindings(findings))
    const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`
    printLine(`${count(problems, 'problem')}, ${count(warnings, 'warning')}.`)
  }
  if (problems > 0) process.exitCode = ExitCode.FAILED
}
