// `quorate kv`: the key-value machine of a running group from the command line.

import { Argument, Command, Option } from 'commander'
import { withClient } from '../client-session.ts'
import { type ClientFlags, clientOptions } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode, exitCodeOf, sentenceOf } from '../exit.ts'
import { paint, printJson, printLine, say } from '../output.ts'
import { type OperationAnswer, parseOperation, perform, tellFailure } from './operation.ts'
import { kvClient } from './writer.ts'

const KEY = () => new Argument('<key>', 'name of the value')
const VALUE = () => new Argument('<value>', 'text')

export function kvCommand(): Command {
  const kv = new Command('kv').description('read and write the key-value machine of a group')
  kv.addHelpText('after', example('quorate kv put color blue && quorate kv get color', EXIT_CODES_HELP))

  const put = leaf('put', 'set a value', "quorate kv put greeting 'hello world'")
  put.addArgument(KEY()).addArgument(VALUE())
  put.action((key: string, value: string) => run(put, { op: 'put', key, value }))

  const get = leaf('get', 'print a value, or nothing when there is none', 'quorate kv get greeting')
  get.addArgument(KEY())
  get.addOption(
    new Option('--read <level>', 'how fresh it must be')
      .choices(['linearizable', 'lease', 'local'])
      .default('linearizable'),
  )
  get.action((key: string) => run(get, { op: 'get', key, read: get.opts<{ read: string }>().read }))

  const append = leaf('append', 'add to the end of a value', 'quorate kv append log one,')
  append.addArgument(KEY()).addArgument(VALUE())
  append.action((key: string, value: string) => run(append, { op: 'append', key, value }))

  const remove = leaf('delete', 'remove a value', 'quorate kv delete greeting')
  remove.addArgument(KEY())
  remove.action((key: string) => run(remove, { op: 'delete', key }))

  kv.addCommand(put).addCommand(get).addCommand(casCommand()).addCommand(append)
  return kv.addCommand(remove).addCommand(shellCommand())
}

function casCommand(): Command {
  const cas = leaf(
    'cas',
    'compare and set: replace a value only where it is the expected one',
    'quorate kv cas color blue green\n  quorate kv cas lock me --absent\n  quorate kv cas lock me --delete',
  )
  cas
    .addArgument(KEY())
    .argument('<values...>', 'expected and new value; one of them with --absent or --delete')
  cas.option('--absent', 'expect no value').option('--delete', 'remove the value')
  cas.action((key: string, values: string[]) => {
    const { absent = false, delete: remove = false } = cas.opts<{ absent?: boolean; delete?: boolean }>()
    const needed = 2 - Number(absent) - Number(remove)
    if (needed < 1 || values.length !== needed) {
      const text = 'cas takes an expected and a new value, or one value with --absent or with --delete.'
      throw new CliError(ExitCode.USAGE, text)
    }
    const from = absent ? null : values[0]
    const to = remove ? null : values[values.length - 1]
    return run(cas, { op: 'cas', key, from, to })
  })
  return cas
}

function shellCommand(): Command {
  const shell = leaf(
    'shell',
    'one JSON operation per line on stdin, one JSON answer per line on stdout',
    `echo '{"id":1,"op":"put","key":"a","value":"1"}' | quorate kv shell`,
  )
  shell.action(() =>
    withClient({ ...shell.opts<ClientFlags>() }, async (client) => {
      const { runShell } = await import('./shell.ts')
      await runShell(kvClient(client), process.stdin, process.stdout)
    }),
  )
  return shell
}

function leaf(name: string, description: string, usage: string): Command {
  const command = new Command(name).description(description)
  for (const option of clientOptions()) command.addOption(option)
  return command.addHelpText('after', example(usage, EXIT_CODES_HELP))
}

function example(usage: string, more: string): string {
  return `\nExample:\n  ${usage}\n\n${more}`
}

async function run(command: Command, input: unknown): Promise<void> {
  const flags = command.opts<ClientFlags>()
  try {
    const operation = parseOperation(input)
    const answer = await withClient(flags, (client) => perform(kvClient(client), operation))
    if (flags.json === true) printJson(answer)
    else tell(answer)
  } catch (error) {
    if (flags.json !== true) throw error
    printJson(tellFailure(error))
    say(sentenceOf(error))
    process.exitCode = exitCodeOf(error)
  }
}

function tell(answer: OperationAnswer): void {
  if (!answer.ok) return
  if (answer.value !== undefined) {
    if (answer.value === null) say(paint('dim', 'There is no such key.', process.stderr))
    else printLine(answer.value)
  } else if (answer.swapped !== undefined) printLine(answer.swapped ? 'swapped' : 'not swapped')
  else if (answer.deleted !== undefined) printLine(answer.deleted ? 'deleted' : 'there was nothing')
  else printLine(`ok, index ${answer.index}`)
}
