// What the two threads say to each other.

import type { DiskStatus, StoredGroup } from '../storage.ts'
import type { Failure } from './failure.ts'

/** Handed to the disk thread when it starts. */
export interface DiskOptions {
  readonly dataDir: string
  readonly hostId: string
  /** `null`: as large as the disk allows. */
  readonly maxDatabaseBytes: number | null
  readonly maxWalBytes: number
}

/**
 * At most one write or close at a time, each answered by one response of the matching kind. Openings are answered one
 * by one, when each is ready; a write may overtake them.
 */
export type DiskRequest =
  | { readonly kind: 'write'; readonly buffer: ArrayBuffer; readonly byteLength: number }
  /** The first of `groups` is answered as `firstId`, the second as `firstId + 1`, and so on. */
  | { readonly kind: 'open'; readonly firstId: number; readonly groups: readonly string[] }
  | { readonly kind: 'close' }

export type DiskResponse =
  | { readonly kind: 'started' }
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** `spare` is the buffer of the request, to be used again; `tookMs`: until it was durable. */
  | {
      readonly kind: 'written'
      readonly failure: Failure | null
      readonly spare: ArrayBuffer
      readonly tookMs: number
    }
  | { readonly kind: 'opened'; readonly id: number; readonly result: OpenedGroup }
  | { readonly kind: 'closed'; readonly failure: Failure | null }
  /** Nobody asked: housekeeping failed, or the files are gone, and with that the storage. */
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Nobody asked: how the disk is doing, when that has changed. */
  | { readonly kind: 'status'; readonly status: DiskStatus }

export type OpenedGroup =
  | { readonly ok: true; readonly number: number; readonly stored: StoredGroup }
  | { readonly ok: false; readonly failure: Failure }
