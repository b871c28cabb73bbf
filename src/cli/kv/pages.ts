// `quorate kv list` and `watch`: many pairs or changes, a line each.

import { Argument, type Command, Option } from 'commander'
import type { QuorateClient } from '../../client.ts'
import type { KvChange } from '../../machines/kv-commands.ts'
import { withClient } from '../client-session.ts'
import { type ClientFlags, parseCount } from '../common-options.ts'
import { CliError, ExitCode, sentenceOf } from '../exit.ts'
import { paint, printJson, printLine, say } from '../output.ts'
import { takeSignals } from '../signals.ts'
import { perform } from './operation.ts'
import { readOption } from './read-option.ts'
import { follow } from './watch.ts'
import { kvClient } from './writer.ts'

const PREFIX = () => new Argument('[prefix]', 'what their names begin with').default('', 'all keys')
const MAX_INDEX = Number.MAX_SAFE_INTEGER

interface ListFlags extends ClientFlags {
  readonly read: 'linearizable' | 'lease' | 'local'
  readonly limit?: number
  readonly after?: string
}

interface WatchFlags extends ClientFlags {
  readonly from?: number
}

export function fillList(command: Command): Command {
  command.addArgument(PREFIX()).addOption(readOption())
  command.addOption(
    new Option('--limit <n>', 'so many pairs at the most (default: all)').argParser(
      parseCount('pairs', 1, MAX_INDEX),
    ),
  )
  command.option('--after <key>', 'go on behind this key')
  return command.action((prefix: string) => {
    const flags = command.opts<ListFlags>()
    return withClient(flags, (client) => list(client, prefix, flags))
  })
}

/** Page after page, which are of different states if somebody writes meanwhile. */
async function list(client: QuorateClient, prefix: string, flags: ListFlags): Promise<void> {
  const { read, limit = MAX_INDEX, json } = flags
  let [left, after] = [limit, flags.after]
  while (left > 0) {
    const page = { limit: Math.min(left, 1000), ...(after === undefined ? {} : { after }) }
    const answer = await perform(kvClient(client), { op: 'list', prefix, read, ...page })
    if (!answer.ok || answer.pairs === undefined) break
    if (json === true) printJson(answer)
    else for (const [key, value] of answer.pairs) printLine(`${paint('cyan', key)}\t${value}`)
    left -= answer.pairs.length
    if (typeof answer.next !== 'string') return
    after = answer.next
  }
  if (json !== true) say(paint('dim', `There are more: --after ${after}`, process.stderr))
}

export function fillWatch(command: Command): Command {
  command
    .addArgument(PREFIX())
    .addOption(
      new Option(
        '--from <index>',
        'begin with this index of the log (default: what comes from now on)',
      ).argParser(parseCount('entries', 1, MAX_INDEX)),
    )
  return command.action((prefix: string) => {
    const flags = command.opts<WatchFlags>()
    const stopping = new AbortController()
    takeSignals(() => stopping.abort())
    return withClient(flags, (client) => watch(client, prefix, flags, stopping.signal))
  })
}

async function watch(
  client: QuorateClient,
  prefix: string,
  { from, json }: WatchFlags,
  signal: AbortSignal,
): Promise<void> {
  let trouble: string | null = null
  const onTrouble = (error: unknown): void => {
    const next = sentenceOf(error)
    if (next !== trouble) say(`${next} Trying again.`)
    trouble = next
  }
  const print = json === true ? printJson : showChange
  for await (const change of follow(client, { prefix, from, signal, onTrouble })) print(change)
  if (!signal.aborted) throw new CliError(ExitCode.FAILED, 'The watch has ended.')
}

function showChange({ index, type, key, value }: KvChange): void {
  const what = value === null ? '' : `\t${value}`
  printLine(`${paint('dim', String(index).padStart(8))}  ${type.padEnd(6)}  ${paint('cyan', key)}${what}`)
}
