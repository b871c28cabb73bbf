// What the benchmark of many groups and its processes say to each other.

import type { GroupLoad, Move, Takeover } from './carrier.ts'

export type CarrierRequest =
  | { readonly kind: 'open'; readonly groups: number }
  | { readonly kind: 'led' | 'watch' | 'takeovers' | 'cpu' | 'memory' | 'drops' }
  | { readonly kind: 'move'; readonly moves: readonly Move[] }
  | { readonly kind: 'load'; readonly clients: number; readonly size: number; readonly seconds: number }

export type CarrierAnswer =
  | { readonly kind: 'ready' | 'move' | 'watch' }
  | {
      readonly kind: 'open'
      readonly tookMs: number
      readonly emptyBytes: number
      readonly emptyHeapBytes: number
    }
  | { readonly kind: 'led'; readonly groups: readonly number[] }
  | { readonly kind: 'load'; readonly result: GroupLoad }
  | { readonly kind: 'takeovers'; readonly takeovers: readonly Takeover[] }
  /** Since the process was started. */
  | { readonly kind: 'cpu'; readonly seconds: number }
  /** Of the process, after a collection. */
  | { readonly kind: 'memory'; readonly rssBytes: number; readonly heapBytes: number }
  | { readonly kind: 'drops'; readonly count: number }
  | { readonly kind: 'failed'; readonly message: string }
