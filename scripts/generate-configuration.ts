// Writes docs/configuration.md from the schema of the options, so that the page and the program cannot disagree.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { tuningSchema } from '../src/options.ts'

/** What zod says about one option, as far as the page shows it. */
const propertySchema = z.object({
  type: z.enum(['integer', 'number', 'boolean']),
  default: z.union([z.number(), z.boolean()]),
  description: z.string(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
})
const pageSchema = z.object({ properties: z.record(z.string(), propertySchema) })

const HEAD = `# Configuration

<!-- Generated from src/options.ts by \`npm run docs\`. Change the schema, not this page. -->

## Options of a node

They go to \`host.startNode({ group, peers, stateMachine, …options })\`, or to \`quorate serve\` as
\`--option name=value\`, which may be repeated. A value out of range, or a name that is not listed, is refused with
one sentence that names the option. Times are in milliseconds (\`…Ms\`), sizes in bytes (\`…Bytes\`).

`

const TAIL = `
Set \`electionTimeoutMs\`, \`maxClockDriftMs\` and \`leaderLease\` to the same values on all members of a group: a leader
trusts what its followers promise. \`maxEntryBytes\` should be equal too, or a command that one leader takes is refused
by the next. The bus has to carry one entry and 8 KiB around it: a node refuses to start when the server's
\`max_payload\` is smaller.

## Options of a host

They go to \`openHost\`.

| option | default | what it is |
| --- | --- | --- |
| \`id\` | required | Name of this process, and of the member it is in every group. 1 to 64 letters, digits, \`_\` or \`-\`; not \`leader\`, \`events\`, \`members\` or \`admin\`. |
| \`dataDir\` | required without \`storage\` | Directory for the database. It is created, and locked while it is open. |
| \`storage\` | SQLite in \`dataDir\` | A storage of your own. |
| \`transport\` | the bus inside this process | \`await connectNats({ servers, id })\` for several processes. |
| \`prefix\` | \`quorate\` | First words of every subject. Equal on all members and clients. |
| \`logger\` | silent | Four functions: \`debug\`, \`info\`, \`warn\`, \`error\`, each called with fields and a sentence. |
| \`clock\`, \`random\` | the system's | For tests and simulation. |

## Options of a node that are no numbers

| option | default | what it is |
| --- | --- | --- |
| \`group\` | required | Name of the group, like a host's name; every word is allowed. |
| \`peers\` | none | All members of a new group. Once the log has a configuration, that one is in force, and a list that differs is logged as a warning. Empty: wait to be added. |
| \`stateMachine\` | required | What is replicated: see \`src/state-machine.ts\` for what is promised about its calls. |
| \`inspect\` | none | Called with every event and transition of the node's actors. |

## Flags with a name of their own

| flag of \`quorate serve\` | option |
| --- | --- |
| \`--election-timeout\` | \`electionTimeoutMs\` |
| \`--max-clock-drift\` | \`maxClockDriftMs\` |
| \`--leader-lease\` | \`leaderLease\` |
| \`--drain-timeout\` | \`drainTimeoutMs\` |

## Environment

| variable | stands in for |
| --- | --- |
| \`QUORATE_NATS\` | \`--nats\` |
| \`QUORATE_GROUP\` | \`--group\` |
| \`QUORATE_PREFIX\` | \`--prefix\` |
| \`QUORATE_CREDS\` | \`--creds\` |
| \`QUORATE_USER\` | \`--user\` |
| \`QUORATE_PASSWORD\` | \`--password\` |
| \`NO_COLOR\` | turns colors off |
| \`NATS_SERVER\` | path of \`nats-server\` for tests and benchmark |
`

/** The page as it should be. */
export function configurationPage(): string {
  const { properties } = pageSchema.parse(z.toJSONSchema(tuningSchema, { io: 'input' }))
  const rows = Object.entries(properties).map(([name, { default: fallback, description, ...range }]) => {
    return `| \`${name}\` | ${show(fallback)} | ${rangeOf(range)} | ${description} |`
  })
  const table = ['| option | default | range | what it does |', '| --- | --- | --- | --- |', ...rows]
  return `${HEAD}${table.join('\n')}\n${TAIL}`
}

function rangeOf({
  type,
  minimum,
  maximum,
}: Omit<z.output<typeof propertySchema>, 'default' | 'description'>) {
  if (type === 'boolean') return 'true, false'
  const isOpen = maximum === undefined || maximum >= 2 ** 31 - 1
  return isOpen ? `from ${show(minimum ?? 0)}` : `${show(minimum ?? 0)} to ${show(maximum)}`
}

function show(value: number | boolean): string {
  return typeof value === 'boolean' ? String(value) : value.toLocaleString('en-US')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // From dist/scripts, where this runs, to the sources beside dist.
  writeFileSync(new URL('../../docs/configuration.md', import.meta.url), configurationPage())
}
