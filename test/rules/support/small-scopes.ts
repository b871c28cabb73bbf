// Every small value there is: the exhaustive scopes that the tables of this folder walk through.

import type { Configuration, LogId, PeerId, Term } from '../../../src/rules/types.ts'

/** All subsets, the empty one included. */
export function subsetsOf<T>(items: readonly T[]): readonly T[][] {
  let sets: T[][] = [[]]
  for (const item of items) sets = sets.flatMap((set) => [set, [...set, item]])
  return sets
}

/** All lists of `length` items, with repetition. */
export function listsOf<T>(items: readonly T[], length: number): readonly T[][] {
  let lists: T[][] = [[]]
  for (let i = 0; i < length; i++) lists = lists.flatMap((list) => items.map((item) => [...list, item]))
  return lists
}

/** The numbers from `min` to `max`, both included. */
export function range(min: number, max: number): readonly number[] {
  return Array.from({ length: Math.max(0, max - min + 1) }, (_, i) => min + i)
}

/** Every stable and every joint configuration over these members, with empty halves too. */
export function configurationsOver(members: readonly PeerId[]): readonly Configuration[] {
  const sets = subsetsOf(members)
  return sets.flatMap((peers) => sets.map((oldPeers) => ({ peers, oldPeers })))
}

export function logIdsUpTo(maxIndex: number, maxTerm: Term): readonly LogId[] {
  return range(0, maxIndex).flatMap((index) => range(0, maxTerm).map((term) => ({ index, term })))
}

/** Terms of every log up to this length: they never decrease along it. `log[0]` is the term of index 1. */
export function logsUpTo(maxLength: number, maxTerm: Term): readonly (readonly Term[])[] {
  return range(0, maxLength).flatMap((length) =>
    listsOf(range(1, maxTerm), length).filter((log) =>
      log.every((term, i) => i === 0 || term >= (log[i - 1] ?? 0)),
    ),
  )
}
