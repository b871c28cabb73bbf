// What the two threads say to each other.

import type { StoredGroup } from '../storage.ts'
import type { Failure } from './failure.ts'

/** Handed to the disk thread when it starts. */
export interface DiskOptions {
  readonly dataDir: string
  readonly hostId: string
  /** `null`: as large as the disk allows. */
  readonly maxDatabaseBytes: number | null
  readonly maxWalBytes: number
}

/** One at a time, each answered by one response of the matching kind. */
export type DiskRequest =
  | { readonly kind: 'write'; readonly buffer: ArrayBuffer; readonly byteLength: number }
  | { readonly kind: 'open'; readonly groups: readonly string[] }
  | { readonly kind: 'close' }

export type DiskResponse =
  | { readonly kind: 'started' }
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** `spare` is the buffer of the request, to be used again. */
  | { readonly kind: 'written'; readonly failure: Failure | null; readonly spare: ArrayBuffer }
  | { readonly kind: 'opened'; readonly results: readonly OpenedGroup[] }
  | { readonly kind: 'closed'; readonly failure: Failure | null }
  /** Nobody asked: housekeeping failed, and with it the storage. */
  | { readonly kind: 'failed'; readonly failure: Failure }

export type OpenedGroup =
  | { readonly ok: true; readonly number: number; readonly stored: StoredGroup }
  | { readonly ok: false; readonly failure: Failure }
