// `quorate demo`: a group in one process that loses its leader under load and a member's files, checked to the last write.

import { Command, Option } from 'commander'
import { groupOption, jsonOption, parseCount } from '../common-options.ts'
import { EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { printJson, printLine, say } from '../output.ts'
import { portOption } from '../page-options.ts'
import type { DemoFlags } from './flags.ts'

export function demoCommand(): Command {
  const command = new Command('demo').description(
    'run three members, kill the leader under load, wipe another, bring both back, and check every write',
  )
  command.addOption(
    new Option('--nodes <count>', 'members').default(3).argParser(parseCount('members', 3, 9)),
  )
  command.addOption(
    new Option('--writes <count>', 'writes').default(10_000).argParser(parseCount('writes', 100, 10_000_000)),
  )
  command.addOption(
    new Option('--clients <count>', 'concurrent clients')
      .default(64)
      .argParser(parseCount('clients', 1, 4096)),
  )
  command.addOption(new Option('--data <dir>', "the members' files (default: a directory that is removed)"))
  command.addOption(
    new Option('--nats <url>', 'a real NATS server instead of the bus inside the process').env(
      'QUORATE_NATS',
    ),
  )
  command.option('--inspect', 'show it in the Stately inspector, which comes from the internet')
  command.option(
    '--watch',
    'show it on a page of its own, slowly, where members can be crashed, paused and cut off',
  )
  command.addOption(portOption())
  command.addOption(groupOption()).addOption(jsonOption())
  command.addHelpText(
    'after',
    `\nExample:\n  quorate demo --nodes 5 --writes 20000\n  quorate demo --watch\n\n${EXIT_CODES_HELP}`,
  )
  return command.action(async () => {
    const flags = command.opts<DemoFlags>()
    if (flags.watch === true) {
      const { runShow } = await import('./stage/run-show.ts')
      return runShow(flags)
    }
    const [{ runDemo }, { formatReport }] = await Promise.all([import('./run.ts'), import('./report.ts')])
    const report = await runDemo(flags)
    if (flags.json === true) printJson(report.json)
    else printLine(formatReport(report))
    for (const problem of report.problems) say(problem)
    if (!report.json.ok) process.exitCode = ExitCode.FAILED
  })
}
