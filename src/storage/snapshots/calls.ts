// What the handles of the callers ask the engine for, and what it answers: plain values that may cross a thread
// border.

import type { SnapshotMeta } from '../../rules/types.ts'
import type { MissingRange, SnapshotDone, SnapshotFile, SnapshotRecord } from '../snapshot-store.ts'

/** Numbers given by the caller, unique in the life of a storage. */
export type WriterNumber = number
export type ReaderNumber = number

/** By kind: what is asked for, and the answer. `group` is open, or being opened. */
export interface SnapshotCalls {
  open: [call: { readonly group: string }, answer: SnapshotRecord | null]
  close: [call: { readonly group: string }, answer: null]
  create: [
    call: {
      readonly group: string
      readonly writer: WriterNumber
      readonly meta: SnapshotMeta
      readonly takenAtMs: number
    },
    answer: null,
  ]
  /** The next chunk of a file of a save. All but the last one of a file are full. */
  append: [
    call: { readonly writer: WriterNumber; readonly name: string; readonly data: Uint8Array },
    answer: null,
  ]
  endFile: [
    call: { readonly writer: WriterNumber; readonly name: string; readonly userMeta: Uint8Array | null },
    answer: SnapshotFile,
  ]
  removeFile: [call: { readonly writer: WriterNumber; readonly name: string }, answer: null]
  copy: [
    call: { readonly group: string; readonly writer: WriterNumber; readonly record: SnapshotRecord },
    answer: { readonly missing: readonly MissingRange[]; readonly presentBytes: number },
  ]
  put: [
    call: {
      readonly writer: WriterNumber
      readonly name: string
      readonly offset: number
      readonly data: Uint8Array
    },
    answer: null,
  ]
  publish: [call: { readonly writer: WriterNumber }, answer: SnapshotRecord]
  /** Discards a save, pauses a copy. */
  leave: [call: { readonly writer: WriterNumber }, answer: null]
  openReader: [call: { readonly group: string; readonly reader: ReaderNumber }, answer: SnapshotRecord]
  read: [
    call: {
      readonly reader: ReaderNumber
      readonly name: string
      readonly offset: number
      readonly maxBytes: number
    },
    answer: Uint8Array,
  ]
  closeReader: [call: { readonly reader: ReaderNumber }, answer: null]
}

export type SnapshotCallKind = keyof SnapshotCalls
export type CallOf<Kind extends SnapshotCallKind> = SnapshotCalls[Kind][0]
export type AnswerOf<Kind extends SnapshotCallKind> = SnapshotCalls[Kind][1]

/** A call as one value. */
export type SnapshotCall<Kind extends SnapshotCallKind = SnapshotCallKind> = {
  [One in Kind]: { readonly kind: One; readonly call: CallOf<One> }
}[Kind]

/** Carries calls to an engine. Each ends in its `done`, once, later, in the order of asking. `done` must not throw. */
export interface SnapshotPort {
  ask<Kind extends SnapshotCallKind>(kind: Kind, call: CallOf<Kind>, done: SnapshotDone<AnswerOf<Kind>>): void
  /** `run` comes in its turn, as if it were the answer to a call. It must not throw. */
  settle(run: () => void): void
}
