// What the demo found, for programs and for people.

import { formatCount, formatPairs, formatTable, paint } from '../output.ts'
import { formatSize } from '../units.ts'
import type { Verification } from './verify.ts'

export interface MemberReport {
  readonly id: string
  readonly role: string
  readonly term: number
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly stateHash: string | null
}

export interface DemoJson {
  readonly ok: boolean
  readonly writes: number
  readonly acknowledged: number
  /** Writes without an answer, and how many of them turned out to be applied. */
  readonly unknown: number
  readonly unknownApplied: number
  readonly lost: number
  readonly duplicated: number
  readonly hashesEqual: boolean
  /** While there was a leader. */
  readonly commitsPerSecond: number
  readonly p50ms: number
  readonly p99ms: number
  /** From the kill to the first role `leader` after it. */
  readonly leaderlessMs: number
  /** From opening the files of the killed member until it had applied what was committed then. */
  readonly recoveryMs: number
  /** From opening the wiped member's empty directory until it had applied what was committed then, by a snapshot. */
  readonly installMs: number
  readonly installedBytes: number
  readonly members: readonly MemberReport[]
}

export interface DemoReport {
  readonly json: DemoJson
  /** One sentence each; none when all is well. */
  readonly problems: readonly string[]
}

export function problemsOf(verification: Verification, allCaughtUp: boolean): readonly string[] {
  const { lost, duplicated, strange, hashesEqual } = verification
  const problems: string[] = []
  if (lost > 0) problems.push(`${lost} acknowledged writes are missing on some member.`)
  if (duplicated > 0) problems.push(`${duplicated} writes were applied more than once.`)
  if (strange > 0) problems.push(`${strange} writes are there that nobody made, or out of order.`)
  if (!allCaughtUp) problems.push('Not every member applied everything that was committed in time.')
  if (!hashesEqual) problems.push("The members' states are not equal.")
  return problems
}

export function formatReport({ json, problems }: DemoReport): string {
  const pairs = formatPairs([
    ['writes', formatCount(json.writes)],
    ['acknowledged', formatCount(json.acknowledged)],
    ['outcome unknown (of these applied)', `${json.unknown} (${json.unknownApplied})`],
    ['lost', String(json.lost)],
    ['applied twice', String(json.duplicated)],
    ['commits/s while there was a leader', formatCount(json.commitsPerSecond)],
    ['p50', `${json.p50ms.toFixed(1)} ms`],
    ['p99', `${json.p99ms.toFixed(1)} ms`],
    ['time without a leader', `${formatCount(json.leaderlessMs)} ms`],
    ['recovery of the killed member', `${formatCount(json.recoveryMs)} ms`],
    ['recovery of the wiped member', `${formatCount(json.installMs)} ms`],
    ['by a snapshot of', formatSize(json.installedBytes)],
  ])
  const members = formatTable<MemberReport>(
    [
      { head: 'member', cell: ({ id }) => id },
      { head: 'role', cell: ({ role }) => role },
      { head: 'term', align: 'right', cell: ({ term }) => String(term) },
      { head: 'commit', align: 'right', cell: ({ commitIndex }) => String(commitIndex) },
      { head: 'applied', align: 'right', cell: ({ appliedIndex }) => String(appliedIndex) },
      { head: 'state hash', cell: ({ stateHash }) => stateHash ?? '' },
    ],
    json.members,
  )
  const verdict = json.ok
    ? paint('green', 'Every acknowledged write is on every member, once, and all states are equal.')
    : paint('red', `Something is wrong: ${problems.length} findings.`)
  return `\n${pairs}\n${members}\n${verdict}`
}

/** The value below which `share` of the sorted `values` lie; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
