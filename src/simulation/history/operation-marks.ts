// Calls and returns of operations in a linked list: what the search takes out and puts back, again and again.

import type { Operation } from './operation.ts'

/** A call or a return in a doubly linked list, so that taking one out and putting it back costs nothing. */
export interface Mark {
  readonly operation: Operation
  readonly bit: number
  /** The return that belongs to a call; null on returns, and on calls with unknown outcome. */
  returned: Mark | null
  readonly isCall: boolean
  previous: Mark | null
  next: Mark | null
}

/** Stands before the first mark, so that taking out the first needs no case of its own. */
const NOBODY: Operation = {
  id: -1,
  client: '',
  command: { op: 'get', key: '' },
  invokedAt: -1,
  completedAt: -1,
  outcome: 'unknown',
  result: null,
  invokedAtMs: 0,
  completedAtMs: null,
}

/** Bits follow the order of the invocations. */
export function linkMarks(operations: readonly Operation[]): Mark {
  const marks: { mark: Mark; at: number }[] = []
  for (const [bit, operation] of operations.entries()) {
    const call: Mark = { operation, bit, returned: null, isCall: true, previous: null, next: null }
    marks.push({ mark: call, at: operation.invokedAt })
    if (operation.outcome !== 'ok') continue
    call.returned = { operation, bit, returned: null, isCall: false, previous: null, next: null }
    marks.push({ mark: call.returned, at: operation.completedAt })
  }
  marks.sort((a, b) => a.at - b.at)
  const head: Mark = { operation: NOBODY, bit: -1, returned: null, isCall: true, previous: null, next: null }
  let last = head
  for (const { mark } of marks) {
    last.next = mark
    mark.previous = last
    last = mark
  }
  return head
}

export function unlink(mark: Mark): void {
  if (mark.previous !== null) mark.previous.next = mark.next
  if (mark.next !== null) mark.next.previous = mark.previous
}

export function relink(mark: Mark): void {
  if (mark.previous !== null) mark.previous.next = mark
  if (mark.next !== null) mark.next.previous = mark
}
