// One operation on the key-value machine, as people and programs write it: checked, carried out, and told as JSON.

import { z } from 'zod'
import type { Applied, ReadLevel } from '../../api.ts'
import { isQuorateError, QuorateError } from '../../errors.ts'
import { type KvCommand, type KvQuery, MAX_KEY_LENGTH, MAX_TTL_MS } from '../../machines/kv-commands.ts'
import { describeIssues } from '../../options.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { KvClient } from './writer.ts'

const key = z.string().min(1).max(MAX_KEY_LENGTH)
const value = z.string()
const ttlMs = z.int().min(1).max(MAX_TTL_MS).optional()
const prefix = z.string().default('')
const read = z.enum(['linearizable', 'lease', 'local']).default('linearizable')
const id = z.union([z.string(), z.number(), z.null()]).optional()

/** The levels by the names that the command line uses. */
export const READS: Readonly<Record<'linearizable' | 'lease' | 'local', ReadLevel>> = {
  linearizable: 'readIndex',
  lease: 'lease',
  local: 'local',
}

export const operationSchema = z.discriminatedUnion('op', [
  z.strictObject({ id, op: z.literal('put'), key, value, ttlMs }),
  z.strictObject({ id, op: z.literal('append'), key, value }),
  z.strictObject({ id, op: z.literal('delete'), key }),
  z.strictObject({ id, op: z.literal('cas'), key, from: value.nullable(), to: value.nullable(), ttlMs }),
  z.strictObject({ id, op: z.literal('touch'), key, ttlMs }),
  z.strictObject({ id, op: z.literal('get'), key, read }),
  z.strictObject({
    ...{ id, op: z.literal('list'), prefix, read },
    ...{ limit: z.int().min(1).max(10_000).optional(), after: value.optional() },
  }),
])

/** Only for the shell, which tells each change on a line. */
export const watchSchema = z.strictObject({
  ...{ id, op: z.literal('watch'), prefix },
  from: z.int().min(1).optional(),
})

export type Operation = z.output<typeof operationSchema>

/** What an operation came to. `outcome` `failed`: it is not applied, and won't be. */
export type OperationAnswer =
  | {
      readonly ok: true
      readonly index?: number
      readonly value?: string | null
      readonly swapped?: boolean
      readonly deleted?: boolean
      readonly touched?: boolean
      readonly length?: number
      readonly pairs?: readonly (readonly [string, string])[]
      /** Of a list: what the next one takes as `after`; null: this was the last. */
      readonly next?: string | null
    }
  | {
      readonly ok: false
      readonly outcome: 'failed' | 'unknown'
      /** `retryable`: sending it again may help, and cannot apply it twice. */
      readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean }
    }

/** @throws QuorateError INVALID, in one sentence. */
export function parseOperation(input: unknown): Operation {
  const parsed = operationSchema.safeParse(input)
  if (parsed.success) return parsed.data
  throw new QuorateError('INVALID', describeIssues('Operation:', parsed.error.issues))
}

/** @throws QuorateError what became of it otherwise. */
export async function perform(client: KvClient, operation: Operation): Promise<OperationAnswer> {
  if (operation.op === 'get') {
    const query: KvQuery = ['get', operation.key]
    const found = await client.read(query, { level: READS[operation.read] })
    if (found !== null && typeof found !== 'string') throw notKeyValue()
    return { ok: true, value: found }
  }
  if (operation.op === 'list') {
    const { prefix, limit = 1000, after = '' } = operation
    const query: KvQuery = ['list', prefix, limit, after]
    const page = pageSchema.safeParse(await client.read(query, { level: READS[operation.read] }))
    if (!page.success) throw notKeyValue()
    return { ok: true, ...page.data }
  }
  return { ok: true, ...tellApplied(await client.apply(commandOf(operation))) }
}

export function tellFailure(error: unknown): OperationAnswer {
  const message = messageOf(error)
  if (!isQuorateError(error)) {
    return { ok: false, outcome: 'unknown', error: { code: 'INTERNAL', message, retryable: false } }
  }
  const { code, retryable } = error
  // An applied write whose result was lost is no failure of the write, but its answer can't be given either.
  const outcome = error.outcome === 'not-applied' ? 'failed' : 'unknown'
  return { ok: false, outcome, error: { code, message, retryable } }
}

const pageSchema = z.object({
  index: z.number(),
  pairs: z.array(z.tuple([z.string(), z.string()])),
  next: z.string().nullable(),
})

function commandOf(operation: Exclude<Operation, { op: 'get' | 'list' }>): KvCommand {
  switch (operation.op) {
    case 'put': {
      const { key, value, ttlMs } = operation
      return ttlMs === undefined ? ['put', key, value] : ['put', key, value, ttlMs]
    }
    case 'append':
      return ['append', operation.key, operation.value]
    case 'cas': {
      const { key, from, to, ttlMs } = operation
      return ttlMs === undefined ? ['cas', key, from, to] : ['cas', key, from, to, ttlMs]
    }
    case 'touch':
      return operation.ttlMs === undefined
        ? ['touch', operation.key]
        : ['touch', operation.key, operation.ttlMs]
    case 'delete':
      return ['delete', operation.key]
  }
}

const resultSchema = z.union([
  z.null(),
  z.object({
    swapped: z.boolean().optional(),
    deleted: z.boolean().optional(),
    touched: z.boolean().optional(),
    length: z.number().optional(),
    refused: z.string().optional(),
  }),
])

/** @throws QuorateError when the machine refused the command, or is none that this command line knows. */
function tellApplied({ index, result }: Applied): {
  index: number
  swapped?: boolean
  deleted?: boolean
  touched?: boolean
  length?: number
} {
  const parsed = resultSchema.safeParse(result)
  if (!parsed.success) throw notKeyValue()
  const { refused, swapped, deleted, touched, length } = parsed.data ?? {}
  if (refused !== undefined) throw new QuorateError('INVALID', refused)
  return {
    index,
    ...(swapped === undefined ? {} : { swapped }),
    ...(deleted === undefined ? {} : { deleted }),
    ...(touched === undefined ? {} : { touched }),
    ...(length === undefined ? {} : { length }),
  }
}

export function notKeyValue(): QuorateError {
  return new QuorateError('UNSUPPORTED', 'This group does not replicate a key-value machine.', {
    outcome: 'applied',
  })
}
