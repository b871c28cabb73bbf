// What the main thread and the snapshot thread say to each other. Bytes change hands, they are never copied.

import type { AnswerOf, SnapshotCall, SnapshotCallKind } from '../../snapshots/calls.ts'
import type { Failure } from '../failure.ts'

/** Handed to the snapshot thread when it starts. */
export interface SnapshotThreadOptions {
  readonly dataDir: string
  readonly hostId: string
  /** `null`: as large as the disk allows. */
  readonly maxBytes: number | null
}

/** Each is answered by one response, in the order of asking. `end` is the last one. */
export type SnapshotRequest = SnapshotCall | { readonly kind: 'end' }

export type SnapshotResponse<Kind extends SnapshotCallKind = SnapshotCallKind> =
  | { readonly ok: true; readonly value: AnswerOf<Kind> }
  | { readonly ok: false; readonly failure: Failure }
