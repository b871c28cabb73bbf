// What is read from a file of results: what can be drawn of it, and nothing else.

import { z } from 'zod'

const MODES = ['embedded', 'remote', 'kv', 'pipe', 'remotePipe', 'etcd', 'jetstream'] as const

const rowSchema = z.object({
  mode: z.enum(MODES),
  clients: z.number(),
  size: z.number(),
  members: z.number().default(3),
  commitsPerSecond: z.number(),
  p50ms: z.number(),
  p99ms: z.number(),
  shareOfPipe: z.number().nullable().default(null),
})
const groupsSchema = z.object({
  mode: z.literal('groups'),
  groups: z.number(),
  figure: z.string(),
  value: z.number(),
  unit: z.string(),
})
const openSchema = z.object({
  mode: z.literal('open'),
  entries: z.number(),
  openMs: z.number(),
  rssMb: z.number(),
})
const missingSchema = z.object({ mode: z.literal('missing'), what: z.string(), why: z.string() })
const machineSchema = z.object({
  cpu: z.string().default('processor unknown'),
  cores: z.number(),
  node: z.string(),
  at: z.string(),
  version: z.string().optional(),
  natsServer: z.string().optional(),
})
const fileSchema = z.object({ machine: machineSchema, results: z.array(z.unknown()) })

export type ThroughputRow = z.output<typeof rowSchema>
export type GroupsFigure = z.output<typeof groupsSchema>
export type OpenRow = z.output<typeof openSchema>
export type MissingRow = z.output<typeof missingSchema>
export type MachineInfo = z.output<typeof machineSchema>

export interface Results {
  readonly machine: MachineInfo
  readonly throughput: readonly ThroughputRow[]
  readonly groups: readonly GroupsFigure[]
  readonly opens: readonly OpenRow[]
  readonly missing: readonly MissingRow[]
}

/** @throws with one sentence when this is no file of results, or nothing in it can be drawn. */
export function readResults(text: string): Results {
  const parsed = fileSchema.safeParse(parsedJson(text))
  if (!parsed.success)
    throw new Error('It is not what the benchmark writes: machine and results are missing.')
  const { machine, results } = parsed.data
  const of = <T>(schema: z.ZodType<T>): readonly T[] =>
    results.flatMap((result) => {
      const row = schema.safeParse(result)
      return row.success ? [row.data] : []
    })
  const [throughput, groups, opens] = [of(rowSchema), of(groupsSchema), of(openSchema)]
  if (throughput.length + groups.length + opens.length === 0)
    throw new Error('There is nothing in it to draw: no throughput, no groups, no opening of logs.')
  return { machine, throughput, groups, opens, missing: of(missingSchema) }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
