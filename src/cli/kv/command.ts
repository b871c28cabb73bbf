// `quorate kv`: the key-value machine of a running group from the command line.

import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { MAX_TTL_MS } from '../../machines/kv-commands.ts'
import { withClient } from '../client-session.ts'
import { type ClientFlags, clientOptions } from '../common-options.ts'
import { CliError, EXIT_CODES_HELP, ExitCode, exitCodeOf, sentenceOf } from '../exit.ts'
import { paint, printJson, printLine, say } from '../output.ts'
import { type OperationAnswer, parseOperation, perform, tellFailure } from './operation.ts'
import { fillList, fillWatch } from './pages.ts'
import { readOption } from './read-option.ts'
import { kvClient } from './writer.ts'

const KEY = () => new Argument('<key>', 'name of the value')
const VALUE = () => new Argument('<value>', 'text')

export function kvCommand(): Command {
  const kv = new Command('kv').description('read and write the key-value machine of a group')
  kv.addHelpText('after', example('quorate kv put color blue && quorate kv get color', EXIT_CODES_HELP))

  const put = leaf('put', 'set a value', "quorate kv put greeting 'hello world'")
  put.addArgument(KEY()).addArgument(VALUE()).addOption(ttlOption())
  put.action((key: string, value: string) => run(put, { op: 'put', key, value, ...ttlOf(put) }))

  const get = leaf('get', 'print a value, or nothing when there is none', 'quorate kv get greeting')
  get.addArgument(KEY()).addOption(readOption())
  get.action((key: string) => run(get, { op: 'get', key, read: get.opts<{ read: string }>().read }))

  const append = leaf('append', 'add to the end of a value', 'quorate kv append log one,')
  append.addArgument(KEY()).addArgument(VALUE())
  append.action((key: string, value: string) => run(append, { op: 'append', key, value }))

  const remove = leaf('delete', 'remove a value', 'quorate kv delete greeting')
  remove.addArgument(KEY())
  remove.action((key: string) => run(remove, { op: 'delete', key }))

  const touch = leaf('touch', 'begin the time to live of a key anew', 'quorate kv touch lock --ttl 30s')
  touch.addArgument(KEY()).addOption(ttlOption())
  touch.action((key: string) => run(touch, { op: 'touch', key, ...ttlOf(touch) }))

  const list = leaf('list', 'print keys and values in order', 'quorate kv list users/ --limit 100')
  const watch = leaf('watch', 'follow what changes, until Ctrl-C', 'quorate kv watch users/ --from 1042')
  kv.addCommand(put).addCommand(get).addCommand(casCommand()).addCommand(append).addCommand(remove)
  kv.addCommand(touch).addCommand(fillList(list)).addCommand(fillWatch(watch))
  return kv.addCommand(shellCommand())
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
  cas.option('--absent', 'expect no value').option('--delete', 'remove the value').addOption(ttlOption())
  cas.action((key: string, values: string[]) => {
    const { absent = false, delete: remove = false } = cas.opts<{ absent?: boolean; delete?: boolean }>()
    if (remove && ttlOf(cas).ttlMs !== undefined)
      throw new CliError(ExitCode.USAGE, 'What cas removes has no time to live: leave out --delete or --ttl.')
    const needed = 2 - Number(absent) - Number(remove)
    if (needed < 1 || values.length !== needed) {
      const text = 'cas takes an expected and a new value, or one value with --absent or with --delete.'
      throw new CliError(ExitCode.USAGE, text)
    }
    const from = absent ? null : values[0]
    const to = remove ? null : values[values.length - 1]
    return run(cas, { op: 'cas', key, from, to, ...ttlOf(cas) })
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

const ttlOption = (): Option =>
  new Option('--ttl <time>', 'how long the key lives: 1500ms, 30s, 5m, 12h, 7d').argParser(parseTtl)

const ttlOf = (command: Command): { ttlMs?: number } => {
  const { ttl } = command.opts<{ ttl?: number }>()
  return ttl === undefined ? {} : { ttlMs: ttl }
}

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ...[['ms', 1] as const, ['s', 1000] as const, ['m', 60_000] as const],
  ...[['h', 3_600_000] as const, ['d', 86_400_000] as const],
])

function parseTtl(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)([a-z]+)$/.exec(text) ?? []
  const ttlMs = Number(count) * (UNIT_MS.get(unit) ?? 0)
  if (ttlMs >= 1 && ttlMs <= MAX_TTL_MS) return ttlMs
  throw new InvalidArgumentError(
    'It must be a whole number with its unit, as 1500ms, 30s, 5m, 12h or 7d, and 3650d at most.',
  )
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
  else if (answer.touched !== undefined) printLine(answer.touched ? 'touched' : 'there was nothing to touch')
  else if (answer.deleted !== undefined) printLine(answer.deleted ? 'deleted' : 'there was nothing')
  else printLine(`ok, index ${answer.index}`)
}
