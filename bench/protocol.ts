// What the benchmark's processes say to each other over Node's IPC channel.

import type { SnapshotStatus } from '../src/status.ts'
import type { Passed, Traced } from './trace-one.ts'

export interface MemberRequest {
  /**
   * `fill` makes so many `commits`; `steady` sends `rate` commands a second, whether or not they are answered.
   * `trace` makes `commits` one after the other, with their times; `passed` asks for the trace points since the last question.
   * `loadUntilTold`, and `steady` without `seconds`, end with `enough`, which has no answer of its own.
   */
  readonly kind:
    | 'load'
    | 'fill'
    | 'steady'
    | 'loadUntilTold'
    | 'enough'
    | 'usage'
    | 'status'
    | 'settle'
    | 'snapshot'
    | 'trace'
    | 'passed'
  readonly clients?: number
  readonly size?: number
  readonly seconds?: number
  readonly commits?: number
  readonly rate?: number
}

export interface LoadResult {
  readonly commits: number
  readonly seconds: number
  readonly p50ms: number
  readonly p99ms: number
  /** Commits per second in the quarter of a second with the fewest. */
  readonly slowestPerSecond: number
}

export interface Usage {
  readonly cpuSeconds: number
  readonly rssMb: number
  /** 99th percentile of the event loop's delay since the last question, in milliseconds. */
  readonly loopP99ms: number
  /** The most memory since the last question. */
  readonly peakRssMb: number
}

export interface MemberState {
  readonly leads: boolean
  readonly term: number
  readonly appliedIndex: number
  readonly firstIndex: number
  readonly snapshot: SnapshotStatus
}

export type MemberAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'load'; readonly result: LoadResult }
  | { readonly kind: 'filled' }
  | { readonly kind: 'traced'; readonly writes: readonly Traced[] }
  | { readonly kind: 'passed'; readonly passed: readonly Passed[] }
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'status'; readonly state: MemberState }
  | { readonly kind: 'snapshot'; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly message: string }

/** One line of the result. */
export interface Row {
  readonly mode: 'embedded' | 'remote' | 'kv' | 'pipe' | 'remotePipe' | 'etcd' | 'jetstream'
  readonly clients: number
  readonly size: number
  readonly members: number
  readonly commitsPerSecond: number
  readonly p50ms: number
  readonly p99ms: number
  readonly loopP99ms: number | null
  readonly cpuSeconds: number | null
  readonly rssMb: number | null
  /** Of the bare pipe of the same form, measured in the same run. */
  readonly shareOfPipe: number | null
  /** The median latency, in medians of that pipe. */
  readonly p50OfPipe: number | null
}
