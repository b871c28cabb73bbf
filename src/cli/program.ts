// The commands put together, and whatever happens in them turned into an exit code.

import { Command, CommanderError } from 'commander'
import { addCompletion } from './completion/command.ts'
import { EXIT_CODES_HELP, ExitCode, endThoughDiskHangs, exitCodeOf, sentenceOf } from './exit.ts'
import { say } from './output.ts'
import { leaveSignals } from './signals.ts'
import { packageVersion } from './version.ts'

/** In the order of the help. Each is loaded when it is called: all together take twice as long to load as the largest of them. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['demo', async () => (await import('./demo/command.ts')).demoCommand()],
  ['serve', async () => (await import('./serve/command.ts')).serveCommand()],
  ['kv', async () => (await import('./kv/command.ts')).kvCommand()],
  ['status', async () => (await import('./status/command.ts')).statusCommand()],
  ['members', async () => (await import('./members/command.ts')).membersCommand()],
  ['leader', async () => (await import('./leader/command.ts')).leaderCommand()],
  ['recover', async () => (await import('./recover/command.ts')).recoverCommand()],
  ['snapshot', async () => (await import('./snapshot/command.ts')).snapshotCommand()],
  ['watch', async () => (await import('./watch/command.ts')).watchCommand()],
  ['events', async () => (await import('./events/command.ts')).eventsCommand()],
  ['inspect', async () => (await import('./inspect/command.ts')).inspectCommand()],
  ['health', async () => (await import('./health/command.ts')).healthCommand()],
  ['doctor', async () => (await import('./doctor/command.ts')).doctorCommand()],
  ['verify', async () => (await import('./verify/command.ts')).verifyCommand()],
  ['permissions', async () => (await import('./permissions/command.ts')).permissionsCommand()],
])

/** They have files or members to put away before they end. */
const ORDERLY: ReadonlySet<string> = new Set(['demo', 'serve', 'export', 'import'])

/** @param called the first word of the command line: of a command that is called no other one is needed */
export async function createProgram(called?: string): Promise<Command> {
  const program = new Command('quorate')
    .description('Raft for Node.js: a replicated state machine that survives the machine it runs on')
    .version(packageVersion())
    .addHelpText('after', `\nExample:\n  quorate demo\n\n${EXIT_CODES_HELP}`)
  const load = called === undefined ? undefined : COMMANDS.get(called)
  const commands = await Promise.all(
    load === undefined ? [...COMMANDS.values()].map((all) => all()) : [load()],
  )
  for (const command of commands) program.addCommand(command)
  // It goes through the commands: needed by whoever asks for all of them.
  if (load === undefined) addCompletion(program)
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
    const program = await createProgram(process.argv[2])
    await program.parseAsync()
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
