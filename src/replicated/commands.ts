// What stands in the log of a group of replicated machines. Any client can write there, so everything is looked at when
// it is applied: what is not a command is the same refusal on every member, and changes nothing.

import { z } from 'zod'

/** In UTF-16 units, as JavaScript counts. */
export const MAX_KEY = 512
/** How the events are named that XState makes itself. */
const RESERVED = 'xstate.'

const keySchema = z
  .string()
  .min(1, 'a key has at least one character')
  .max(MAX_KEY, `a key has at most ${MAX_KEY} characters`)
const idSchema = z.string()
const armedAtSchema = z.number().int().min(0)

/** An event as a user may send it. */
const eventSchema = z.looseObject({
  type: z
    .string('an event has a type, which is text')
    .min(1, 'the type of an event is not empty')
    .refine(
      (type) => !type.startsWith(RESERVED),
      `events that begin with ${RESERVED} are made by XState alone`,
    ),
})

const errorSchema = z.looseObject({ message: z.string() })

const declarationSchema = z.object({ machine: z.string(), version: z.string(), definition: z.string() })

const SCHEMAS = {
  /** What the group replicates: written by its first leader. */
  declare: z.tuple([z.literal('declare'), declarationSchema]),
  /** From here on the group runs another version. */
  upgrade: z.tuple([z.literal('upgrade'), z.object({ from: declarationSchema, to: declarationSchema })]),
  /** Makes an instance; `input` is left out, or what the machine is given. */
  create: z.tuple([z.literal('create'), keySchema, z.object({ input: z.unknown().optional() })]),
  event: z.tuple([z.literal('event'), keySchema, eventSchema]),
  /** A timer is due. */
  fire: z.tuple([z.literal('fire'), keySchema, idSchema, armedAtSchema]),
  /** A job ended well; `output` is left out when it returned nothing. */
  done: z.tuple([
    z.literal('done'),
    keySchema,
    idSchema,
    armedAtSchema,
    z.object({ output: z.unknown().optional() }),
  ]),
  failed: z.tuple([z.literal('failed'), keySchema, idSchema, armedAtSchema, errorSchema]),
  /** A durable action failed that had failed so often before. */
  missed: z.tuple([
    z.literal('missed'),
    keySchema,
    idSchema,
    armedAtSchema,
    z.number().int().min(0),
    errorSchema,
  ]),
  /** An event that a running job sends to its machine. */
  sent: z.tuple([z.literal('sent'), keySchema, idSchema, armedAtSchema, eventSchema]),
  /** Members are to compare their states of here, and look closer at one instance; null: at none. */
  check: z.tuple([z.literal('check'), keySchema.nullable()]),
  /** What the leader's state was at an index, for the others to compare. */
  compare: z.tuple([
    z.literal('compare'),
    z.object({
      index: z.number(),
      hash: z.string(),
      key: z.string(),
      state: z.custom<Uint8Array>((state) => state instanceof Uint8Array),
      /** Of each instance, in their order, as far as they are few. */
      each: z.array(z.tuple([z.string(), z.string()])).optional(),
    }),
  ]),
} as const

type Name = keyof typeof SCHEMAS
export type Command = { [N in Name]: z.output<(typeof SCHEMAS)[N]> }[Name]
export type Declaration = z.output<typeof declarationSchema>
export type Upgrade = z.output<(typeof SCHEMAS)['upgrade']>[1]
export type Comparison = z.output<(typeof SCHEMAS)['compare']>[1]

export type ParsedCommand =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly reason: string }

const isName = (name: unknown): name is Name => typeof name === 'string' && Object.hasOwn(SCHEMAS, name)

/** Never throws: a bad command is answered in words. */
export function parseCommand(value: unknown): ParsedCommand {
  const name: unknown = Array.isArray(value) ? value[0] : undefined
  if (!isName(name)) return { ok: false, reason: `a command is an array that begins with ${inWords()}` }
  if (isPlainEvent(value)) return { ok: true, command: value }
  const parsed = SCHEMAS[name].safeParse(value)
  if (parsed.success) return { ok: true, command: parsed.data }
  const [issue] = parsed.error.issues
  return { ok: false, reason: `${name}: ${issue?.message ?? 'it has another form'}` }
}

/** What most commands are: seen at a glance. Whatever is not is looked at by its schema, which says what is wrong. */
function isPlainEvent(value: unknown): value is Extract<Command, readonly ['event', ...unknown[]]> {
  if (!Array.isArray(value) || value.length !== 3 || value[0] !== 'event') return false
  const [, key, event]: readonly unknown[] = value
  if (typeof key !== 'string' || key.length === 0 || key.length > MAX_KEY) return false
  if (typeof event !== 'object' || event === null || Array.isArray(event) || !('type' in event)) return false
  const { type } = event
  return typeof type === 'string' && type.length > 0 && !type.startsWith(RESERVED)
}

function inWords(): string {
  return Object.keys(SCHEMAS).join(', ')
}

const QUERIES = z.union([
  z.tuple([z.literal('get'), keySchema]),
  z.tuple([z.literal('pending'), keySchema]),
  z.tuple([z.literal('watch'), keySchema]),
  z.tuple([z.literal('keys'), z.number().int().min(0), z.number().int().min(1).max(10_000)]),
  z.tuple([z.literal('size')]),
])

export type Query = z.output<typeof QUERIES>

export function parseQuery(value: unknown): Query | null {
  const parsed = QUERIES.safeParse(value)
  return parsed.success ? parsed.data : null
}
