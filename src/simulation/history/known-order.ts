// The short way to "linearizable": the log itself is an order of all operations. Where it explains what clients saw,
// nothing has to be searched.

import { applyKv } from './kv-model.ts'
import type { Operation, Positions } from './operation.ts'

/**
 * True: the operations of one key, in the order of their positions, give every result that a client was told, and no
 * operation comes before one that had ended when it began. That is a proof. False proves nothing.
 */
export function isExplainedBy(operations: readonly Operation[], positions: Positions): boolean {
  const placed: { operation: Operation; at: number }[] = []
  for (const operation of operations) {
    const at = positions.get(operation.id)
    if (at !== undefined) placed.push({ operation, at })
    // Of unknown outcome and not in the log: it has not happened.
    else if (operation.outcome === 'ok') return false
  }
  placed.sort(
    (a, b) => a.at - b.at || rank(a.operation) - rank(b.operation) || a.operation.id - b.operation.id,
  )
  let value: string | null = null
  let latestInvocation = -1
  for (const { operation } of placed) {
    if (operation.completedAt < latestInvocation) return false
    latestInvocation = Math.max(latestInvocation, operation.invokedAt)
    const step = applyKv(value, operation.command)
    if (operation.outcome === 'ok' && operation.result !== step.result) return false
    value = step.value
  }
  return true
}

/** Reads see the entry of their index. */
const rank = ({ command }: Operation): number => (command.op === 'get' ? 1 : 0)

export type { Positions } from './operation.ts'
