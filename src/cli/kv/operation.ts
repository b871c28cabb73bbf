// One operation on the key-value machine, as people and programs write it: checked, carried out, and told as JSON.

import { z } from 'zod'
import type { Applied, ReadLevel } from '../../api.ts'
import { isQuorateError, QuorateError } from '../../errors.ts'
import { type KvCommand, type KvQuery, MAX_KEY_LENGTH } from '../../machines/kv-commands.ts'
import { describeIssues } from '../../options.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { KvClient } from './writer.ts'

const key = z.string().min(1).max(MAX_KEY_LENGTH)
const value = z.string()
const id = z.union([z.string(), z.number(), z.null()]).optional()

/** The levels by the names that the command line uses. */
export const READS: Readonly<Record<'linearizable' | 'lease' | 'local', ReadLevel>> = {
  linearizable: 'readIndex',
  lease: 'lease',
  local: 'local',
}

export const operationSchema = z.discriminatedUnion('op', [
  z.strictObject({ id, op: z.literal('put'), key, value }),
  z.strictObject({ id, op: z.literal('append'), key, value }),
  z.strictObject({ id, op: z.literal('delete'), key }),
  z.strictObject({ id, op: z.literal('cas'), key, from: value.nullable(), to: value.nullable() }),
  z.strictObject({
    id,
    op: z.literal('get'),
    key,
    read: z.enum(['linearizable', 'lease', 'local']).default('linearizable'),
  }),
])

export type Operation = z.output<typeof operationSchema>

/** What an operation came to. `outcome` `failed`: it is not applied, and won't be. */
export type OperationAnswer =
  | {
      readonly ok: true
      readonly index?: number
      readonly value?: string | null
      readonly swapped?: boolean
      readonly deleted?: boolean
      readonly length?: number
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

function commandOf(operation: Exclude<Operation, { op: 'get' }>): KvCommand {
  switch (operation.op) {
    case 'put':
    case 'append':
      return [operation.op, operation.key, operation.value]
    case 'cas':
      return ['cas', operation.key, operation.from, operation.to]
    case 'delete':
      return ['delete', operation.key]
  }
}

const resultSchema = z.union([
  z.null(),
  z.object({
    swapped: z.boolean().optional(),
    deleted: z.boolean().optional(),
    length: z.number().optional(),
    refused: z.string().optional(),
  }),
])

/** @throws QuorateError when the machine refused the command, or is none that this command line knows. */
function tellApplied({ index, result }: Applied): {
  index: number
  swapped?: boolean
  deleted?: boolean
  length?: number
} {
  const parsed = resultSchema.safeParse(result)
  if (!parsed.success) throw notKeyValue()
  const { refused, swapped, deleted, length } = parsed.data ?? {}
  if (refused !== undefined) throw new QuorateError('INVALID', refused)
  return {
    index,
    ...(swapped === undefined ? {} : { swapped }),
    ...(deleted === undefined ? {} : { deleted }),
    ...(length === undefined ? {} : { length }),
  }
}

function notKeyValue(): QuorateError {
  return new QuorateError('UNSUPPORTED', 'This group does not replicate a key-value machine.', {
    outcome: 'applied',
  })
}
