// `quorate completion bash`: a script for the shell, which asks `quorate complete` for what may come next.

import completing from '@bomb.sh/tab/commander'
import type { Command } from 'commander'

const HELP = `
Examples:
  quorate completion bash > ~/.local/share/bash-completion/completions/quorate
  quorate completion zsh > "\${fpath[1]}/_quorate"
  quorate completion fish > ~/.config/fish/completions/quorate.fish`

/** To be called when all commands are there: it goes through them. */
export function addCompletion(program: Command): void {
  completing(program, { completionCommandName: 'completion' })
  const command = program.commands.find((child) => child.name() === 'completion')
  command
    ?.description('print a script that completes commands and options in your shell')
    .addHelpText('after', HELP)
}
