// Does a member hold what its log stands for? Read off what is there: entries that came without payload, or a snapshot
// without files in their place. So it is as durable as they are, and ends when none of them is left.

import type { LogIndex } from '../../rules/types.ts'
import type { Snapshots } from './snapshots.ts'

interface Holder {
  readonly hasLog: boolean
  readonly log: { readonly withheld: { readonly isEmpty: boolean; readonly last: LogIndex } }
  readonly snapshots: Pick<Snapshots, 'newest'>
}

/** These are the files of a witness, whatever the configuration says. */
export function lacksPayload(holder: Holder): boolean {
  return withheldIndex(holder) > 0
}

/** Up to where payload may be missing; 0: nothing is. */
export function withheldIndex(holder: Holder): LogIndex {
  if (!holder.hasLog) return 0
  const meta = holder.snapshots.newest?.meta
  return Math.max(holder.log.withheld.last, meta?.withheld === true ? meta.lastIncludedIndex : 0)
}
