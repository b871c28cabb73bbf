// The slow and obvious checker of linearizability: every order of every subset, for histories of a few operations.

import type { Operation } from '../../../src/simulation/history/history.ts'
import { applyKv } from '../../../src/simulation/history/kv-model.ts'

/** One key only. */
export function isLinearizableByForce(operations: readonly Operation[]): boolean {
  return tryAll(
    operations.filter(({ outcome }) => outcome !== 'failed'),
    null,
  )
}

function tryAll(left: readonly Operation[], value: string | null): boolean {
  if (left.every(({ outcome }) => outcome === 'unknown')) return true
  return left.some((next) => {
    // Something that returned before `next` was invoked has to come before it.
    if (left.some((other) => other !== next && other.completedAt < next.invokedAt)) return false
    const step = applyKv(value, next.command)
    if (next.outcome === 'ok' && step.result !== next.result) return false
    return tryAll(
      left.filter((other) => other !== next),
      step.value,
    )
  })
}
