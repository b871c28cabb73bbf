// The commands put together, and whatever happens in them turned into an exit code.

import { Command, CommanderError } from 'commander'
import { addCompletion } from './completion/command.ts'
import { demoCommand } from './demo/command.ts'
import { doctorCommand } from './doctor/command.ts'
import { eventsCommand } from './events/command.ts'
import { EXIT_CODES_HELP, ExitCode, endThoughDiskHangs, exitCodeOf, sentenceOf } from './exit.ts'
import { healthCommand } from './health/command.ts'
import { inspectCommand } from './inspect/command.ts'
import { kvCommand } from './kv/command.ts'
import { leaderCommand } from './leader/command.ts'
import { membersCommand } from './members/command.ts'
import { say } from './output.ts'
import { permissionsCommand } from './permissions/command.ts'
import { recoverCommand } from './recover/command.ts'
import { serveCommand } from './serve/command.ts'
import { leaveSignals } from './signals.ts'
import { snapshotCommand } from './snapshot/command.ts'
import { statusCommand } from './status/command.ts'
import { verifyCommand } from './verify/command.ts'
import { packageVersion } from './version.ts'
import { watchCommand } from './watch/command.ts'

/** They have files or members to put away before they end. */
const ORDERLY: ReadonlySet<string> = new Set(['demo', 'serve', 'export', 'import'])

export function createProgram(): Command {
  const program = new Command('quorate')
    .description('Raft for Node.js: a replicated state machine that survives the machine it runs on')
    .version(packageVersion())
    .addHelpText('after', `\nExample:\n  quorate demo\n\n${EXIT_CODES_HELP}`)
  const commands = [
    ...[demoCommand(), serveCommand(), kvCommand(), statusCommand()],
    ...[membersCommand(), leaderCommand(), recoverCommand()],
    ...[
      snapshotCommand(),
      watchCommand(),
      eventsCommand(),
      inspectCommand(),
      healthCommand(),
      doctorCommand(),
      verifyCommand(),
      permissionsCommand(),
    ],
  ]
  for (const command of commands) program.addCommand(command)
  addCompletion(program)
  endInsteadOfExit(program)
  return program.hook('preAction', (_, command) => {
    if (!ORDERLY.has(command.name())) leaveSignals()
  })
}

export async function run(): Promise<void> {
  // A reader that went away (`quorate status --watch | head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? ExitCode.OK : ExitCode.FAILED)
  })
  try {
    await createProgram().parseAsync()
  } catch (error) {
    process.exitCode = error instanceof CommanderError ? usageExitCode(error) : exitCodeOf(error)
    if (!(error instanceof CommanderError)) say(sentenceOf(error))
  }
  endThoughDiskHangs()
}

/** Help and version are answers; everything else that commander ends with is a wrong call. It has said why. */
function usageExitCode({ exitCode }: CommanderError): ExitCode {
  return exitCode === 0 ? ExitCode.OK : ExitCode.USAGE
}

function endInsteadOfExit(command: Command): void {
  command.exitOverride().configureOutput({
    outputError: (text, write) => {
      const sentence = text
        .trim()
        .replace(/^error: /, '')
        .replace(/\n/g, ' ')
      write(`${sentence.charAt(0).toUpperCase()}${sentenceOf(sentence).slice(1)} Add --help for usage.\n`)
    },
  })
  for (const child of command.commands) endInsteadOfExit(child)
}
