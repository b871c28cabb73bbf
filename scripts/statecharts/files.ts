// Everything that `statecharts/` holds, made in memory: written by the export script, compared by a test.

import { charts } from './charts.ts'
import { toLiteral } from './literal.ts'
import { toMermaid } from './mermaid.ts'
import { rolesView } from './roles.ts'

/** File names below `statecharts/` and what is in them. */
export function statechartFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const chart of charts) {
    files.set(`${chart.name}.stately.ts`, toLiteral(chart))
    files.set(`${chart.name}.mmd`, toMermaid(chart.machine))
  }
  files.set('node.roles.mmd', rolesView())
  files.set('README.md', legend())
  return files
}

/** The name of the picture that is drawn from this file; null: from this one none is. */
export function pictureOf(name: string): string | null {
  return name.endsWith('.mmd') ? name.replace(/mmd$/, 'svg') : null
}

function legend(): string {
  const picture = (diagram: string) => ['```mermaid', diagram.trimEnd(), '```', '']
  return [
    '# The charts',
    '',
    'Drawn from the machines in `src/actors` by `npm run statecharts`, never by hand; a test fails when they are stale.',
    'What a chart says is what happens: the inspector shows the same states and events.',
    '',
    '| chart | what it is | picture | its text | for Stately Studio |',
    '| --- | --- | --- | --- | --- |',
    ...charts.map(
      ({ name, what }) =>
        `| ${name} | ${what} | [${name}.svg](${name}.svg) | [${name}.mmd](${name}.mmd) | [${name}.stately.ts](${name}.stately.ts) |`,
    ),
    '',
    '## How to read them',
    '',
    '- An arrow is labelled `event [guard]`. `rpc.…` are requests of other members, `timer.…` timers, `after …` delays of',
    '  the state itself. An arrow with only a `[guard]` is taken as soon as the guard holds; one without any label at once.',
    '- `any` stands for every state of the box it is in. An arrow that begins inside a box says where, in parentheses;',
    '  `→ state` says where inside a box it ends.',
    '- What an event does without leading to another state (answering a request, appending, counting votes) is not drawn;',
    '  the `.stately.ts` files have it, and so has the source.',
    '- The guards and actions behind the names are in `src/actors/**/*.setup.ts` and `*.actions.ts`; what they decide is in',
    '  `src/rules`.',
    '',
    '## The roles of a node, in the words of Raft',
    '',
    'The picture to begin with: picked from the chart below, with the events in plain words.',
    '',
    ...picture(rolesView()),
    ...charts.flatMap(({ name, machine, what }) => [
      `## ${name}`,
      '',
      what,
      '',
      ...picture(toMermaid(machine)),
    ]),
  ].join('\n')
}
