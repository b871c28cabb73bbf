// What comes of hashes beside each other: whether all are equal, and whose are not.

import type { PeerId } from '../../rules/types.ts'
import type { MemberHash } from './common-index.ts'

export interface Verdict {
  readonly equal: boolean
  /** Whose state is another than that of most. When there are as many of each: all. */
  readonly differing: readonly PeerId[]
  /** Whose state is not known. */
  readonly missing: readonly PeerId[]
  /** For people. */
  readonly says: string
}

export function judge(group: string, hashes: readonly MemberHash[]): Verdict {
  const known = hashes.filter(({ hash }) => hash !== null)
  const missing = hashes.filter(({ hash }) => hash === null)
  const differing = oddOnesOf(known)
  const equal = known.length > 0 && missing.length === 0 && differing.length === 0
  const parts = [
    ...(differing.length === 0 ? [] : [difference(known, differing)]),
    ...missing.map(({ problem }) => problem ?? ''),
  ]
  const index = known[0]?.index ?? 0
  const all = known.length === 1 ? 'The only member' : `All ${known.length} members`
  const says = equal
    ? `${all} of group ${group} ${known.length === 1 ? 'has its' : 'have the same'} state at index ${index}.`
    : parts.join(' ')
  return { equal, differing, missing: missing.map(({ member }) => member), says }
}

function oddOnesOf(known: readonly MemberHash[]): readonly PeerId[] {
  const hashes = [...new Set(known.map(({ hash }) => hash))]
  const camps = hashes
    .map((hash) => known.filter((one) => one.hash === hash))
    .sort((a, b) => b.length - a.length)
  const [largest = [], second] = camps
  if (second === undefined) return []
  const odd = second.length === largest.length ? known : known.filter((one) => !largest.includes(one))
  return odd.map(({ member }) => member)
}

function difference(known: readonly MemberHash[], differing: readonly PeerId[]): string {
  const others = known.map(({ member }) => member).filter((member) => !differing.includes(member))
  const who =
    others.length === 0
      ? `${differing.join(', ')} differ`
      : `${differing.join(', ')} ${differing.length === 1 ? 'differs' : 'differ'} from ${others.join(', ')}`
  return `${who} at index ${known[0]?.index ?? 0}: the state machine is not deterministic, or files were changed. Stop and investigate, and keep the directories.`
}
