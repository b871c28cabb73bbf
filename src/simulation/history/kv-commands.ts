// The key-value store that simulated clients use: the product's own machine, spoken to in the model's words.

import type { KvResult as ProductResult } from '../../machines/kv-commands.ts'
import type { KvCommand, KvResult } from './kv-model.ts'

/** What the product's machine is sent. A get is a query, not a command. */
export function toCommand(command: Exclude<KvCommand, { op: 'get' }>): readonly unknown[] {
  switch (command.op) {
    case 'put':
      return ['put', command.key, command.value]
    case 'cas':
      return ['cas', command.key, command.expect, command.value]
    case 'append':
      return ['append', command.key, command.value]
    case 'delete':
      return ['delete', command.key]
  }
}

/** The way back: null for what no simulated client sends. */
export function fromCommand(command: unknown): KvCommand | null {
  if (!Array.isArray(command)) return null
  const [op, key, first, second]: unknown[] = command
  if (typeof key !== 'string') return null
  if (op === 'delete') return { op, key }
  if ((op === 'put' || op === 'append') && typeof first === 'string') return { op, key, value: first }
  if (op !== 'cas' || typeof second !== 'string') return null
  return first === null || typeof first === 'string' ? { op, key, expect: first, value: second } : null
}

/** What the product's machine answered, as the model would have said it. */
export function toResult(result: unknown): KvResult {
  const answer = result as ProductResult
  if (answer === null) return true
  if ('swapped' in answer) return answer.swapped
  if ('length' in answer) return answer.length
  if ('deleted' in answer) return answer.deleted
  const why = 'refused' in answer ? answer.refused : JSON.stringify(answer)
  throw new Error(`The key-value machine refused a command of a simulated client: ${why}`)
}
