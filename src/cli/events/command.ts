// `quorate events`: what happens in a group, a line each, until a signal ends it.

import { Command } from 'commander'
import { watchGroup } from '../../client/watch/watch-group.ts'
import { systemClock } from '../../runtime/clock.ts'
import { openBus } from '../bus.ts'
import { type ClientFlags, clientOptions } from '../common-options.ts'
import { EXIT_CODES_HELP, sentenceOf } from '../exit.ts'
import { paint, printJson, printLine, say } from '../output.ts'
import { takeSignals } from '../signals.ts'
import { type EventLine, EventLines } from './event-lines.ts'

export function eventsCommand(): Command {
  const command = new Command('events').description(
    'follow what happens in a group: roles and votes, members, snapshots, failures',
  )
  for (const option of clientOptions()) command.addOption(option)
  command.addHelpText(
    'after',
    `\nExample:\n  quorate events --group demo\n  quorate events --group demo --json | jq 'select(.kind == "role")'\n
One line each, from now on; what has been is in the members' logs. Ctrl-C ends it.\n${EXIT_CODES_HELP}`,
  )
  return command.action(() => follow(command.opts<ClientFlags>()))
}

async function follow(flags: ClientFlags): Promise<void> {
  const { group, prefix, timeout: timeoutMs, as: id, json } = flags
  const stopped = new Promise<void>((resolve) => takeSignals(() => resolve()))
  const transport = await openBus({ flags, id, timeoutMs })
  const watch = watchGroup({ transport, group, prefix })
  const print = json === true ? (line: EventLine) => printEvent(group, line) : showEvent
  const end = new EventLines(watch.model, () => systemClock.wallMs(), print).follow()
  try {
    // What is wrong is told as an event, and looked at again.
    await Promise.race([
      watch.ready().catch((error: unknown) => say(`${sentenceOf(error)} Looking for it.`)),
      stopped,
    ])
    await stopped
  } finally {
    end()
    watch.close()
    await transport.close()
  }
}

function printEvent(group: string, { atMs, member, kind, details }: EventLine): void {
  printJson({ at: new Date(atMs).toISOString(), group, member, kind, ...details })
}

function showEvent({ atMs, member, kind, text }: EventLine): void {
  const time = paint('dim', new Date(atMs).toISOString().slice(11, 23))
  printLine(`${time}  ${paint('cyan', (member ?? '-').padEnd(8))}  ${kind.padEnd(10)}  ${text}`)
}
