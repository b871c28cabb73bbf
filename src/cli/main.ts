#!/usr/bin/env node
// The `quorate` command: puts the commands together, and turns whatever happens into an exit code.

import { Command, CommanderError } from 'commander'
import { demoCommand } from './demo/command.ts'
import { EXIT_CODES_HELP, ExitCode, endThoughDiskHangs, exitCodeOf, sentenceOf } from './exit.ts'
import { kvCommand } from './kv/command.ts'
import { say } from './output.ts'
import { serveCommand } from './serve/command.ts'
import { statusCommand } from './status/command.ts'
import { packageVersion } from './version.ts'

const program = new Command('quorate')
  .description('Raft for Node.js: a replicated state machine that survives the machine it runs on')
  .version(packageVersion())
  .addHelpText('after', `\nExample:\n  quorate demo\n\n${EXIT_CODES_HELP}`)

for (const command of [demoCommand(), serveCommand(), kvCommand(), statusCommand()])
  program.addCommand(command)
endInsteadOfExit(program)

// A reader that went away (`quorate status --watch | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? ExitCode.OK : ExitCode.FAILED)
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = error instanceof CommanderError ? usageExitCode(error) : exitCodeOf(error)
  if (!(error instanceof CommanderError)) say(sentenceOf(error))
}
endThoughDiskHangs()

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
