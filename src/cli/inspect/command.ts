// `quorate inspect`: a group on the bus in the Stately inspector, until a signal ends it.

import { Command, Option } from 'commander'
import { type GroupModel, watchGroup } from '../../client.ts'
import { openBridge, STATELY_UI } from '../../inspect/bridge.ts'
import { StatelyStream } from '../../inspect/stately-stream.ts'
import { systemClock } from '../../runtime/clock.ts'
import { openBus } from '../bus.ts'
import { type ClientFlags, clientOptions } from '../common-options.ts'
import { EXIT_CODES_HELP, sentenceOf } from '../exit.ts'
import { printJson, printLine, say } from '../output.ts'
import { listenOption, portOption } from '../page-options.ts'
import { takeSignals } from '../signals.ts'

interface InspectFlags extends ClientFlags {
  readonly port: number
  readonly listen: string
  readonly ui: string
  readonly everything?: boolean
}

export function inspectCommand(): Command {
  const command = new Command('inspect').description('show a running group in the Stately inspector')
  for (const option of clientOptions()) command.addOption(option)
  command
    .addOption(portOption())
    .addOption(listenOption())
    .addOption(new Option('--ui <url>', "the inspector's page").default(STATELY_UI))
    .option('--everything', 'each event one by one; otherwise they are counted')
  command.addHelpText(
    'after',
    `\nExample:\n  quorate inspect --group demo --nats nats://127.0.0.1:4222\n\n${EXIT_CODES_HELP}`,
  )
  return command.action(() => inspect(command.opts<InspectFlags>()))
}

async function inspect(flags: InspectFlags): Promise<void> {
  const { group, prefix, timeout: timeoutMs, as: id, port, listen, ui, everything = false } = flags
  const stopped = new Promise<void>((resolve) => takeSignals(() => resolve()))
  const stream = new StatelyStream(() => systemClock.wallMs())
  // The page first: a port that is taken is said before anything is asked of the group.
  const bridge = await openBridge({ stream, port, listen, ui })
  try {
    const transport = await openBus({ flags, id, timeoutMs })
    const watch = watchGroup({ transport, group, prefix, everything })
    stream.add(watch.model)
    watch.model.on(({ type }) => {
      if (type === 'problem') sayProblem(watch.model)
    })
    // What is wrong is said as the model's problem, and looked at again.
    await watch.ready().catch((error: unknown) => say(`${sentenceOf(error)} Looking for it.`))
    show(bridge, flags)
    await stopped
    watch.close()
    await transport.close()
  } finally {
    stream.close()
    await bridge.close()
  }
}

function show({ url, socketUrl }: { url: string; socketUrl: string }, { json, group }: InspectFlags): void {
  if (json === true) return printJson({ group, url, socketUrl })
  printLine(`Group ${group} in the Stately inspector: ${url}`)
  printLine(`The same for other tools:             ${socketUrl}`)
  say('The inspector itself comes from the internet. Ctrl-C ends this.')
}

function sayProblem({ problem, group }: GroupModel): void {
  say(problem ?? `Group ${group} is seen.`)
}
