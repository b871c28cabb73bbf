// `quorate watch`: our own page of the groups on a bus, or of a recorded simulation, until a signal ends it.

import { Command, Option } from 'commander'
import { busSource } from '../../page/server/bus-source.ts'
import { openPage } from '../../page/server/open-page.ts'
import { replaySource } from '../../page/server/replay-source.ts'
import type { PageSource } from '../../page/server/source.ts'
import { openBus } from '../bus.ts'
import { type ClientFlags, clientOptions, parseName } from '../common-options.ts'
import { EXIT_CODES_HELP } from '../exit.ts'
import { printJson, printLine, say } from '../output.ts'
import { listenOption, portOption } from '../page-options.ts'
import { takeSignals } from '../signals.ts'

interface WatchFlags extends Omit<ClientFlags, 'group'> {
  readonly group?: string
  readonly port: number
  readonly listen: string
}

export function watchCommand(): Command {
  const command = new Command('watch').description('show running groups on a page of their own')
  command.argument('[file]', 'a recorded simulation (npm run sim -- --seed N --trace FILE) instead of a bus')
  for (const option of clientOptions()) if (option.long !== '--group') command.addOption(option)
  command
    .addOption(
      new Option('--group <name>', 'Raft group (default: the only one, or chosen from the list)')
        .env('QUORATE_GROUP')
        .argParser(parseName),
    )
    .addOption(portOption())
    .addOption(listenOption())
  command.addHelpText(
    'after',
    `\nExample:\n  quorate watch --nats nats://127.0.0.1:4222\n  quorate watch --group demo --port 8080\n  quorate watch run.ndjson\n\n${EXIT_CODES_HELP}`,
  )
  return command.action((file: string | undefined) => {
    const flags = command.opts<WatchFlags>()
    return file === undefined ? watchBus(flags) : watchFile(file, flags)
  })
}

async function watchBus(flags: WatchFlags): Promise<void> {
  const { group = null, prefix, timeout: timeoutMs, as: id } = flags
  const stopped = stopOf()
  const transport = await openBus({ flags, id, timeoutMs })
  try {
    const what = group === null ? 'The groups on this bus' : `Group ${group}`
    await showUntil(stopped, busSource({ transport, prefix, group }), flags, what)
  } finally {
    await transport.close()
  }
}

async function watchFile(file: string, flags: WatchFlags): Promise<void> {
  const stopped = stopOf()
  await showUntil(stopped, await replaySource(file), flags, `The simulation in ${file}`)
}

function stopOf(): Promise<void> {
  return new Promise((resolve) => takeSignals(() => resolve()))
}

async function showUntil(
  stopped: Promise<void>,
  source: PageSource,
  { port, listen, json }: WatchFlags,
  what: string,
): Promise<void> {
  const page = await openPage({ source, port, listen })
  try {
    if (json === true) printJson({ group: source.group, url: page.url })
    else {
      printLine(`${what}: ${page.url}`)
      say('Open it in a browser. Ctrl-C ends this.')
    }
    await stopped
  } finally {
    await page.close()
  }
}
