// What services need of a member, and the two ways to get it: from any RaftNode by promises, or, where the node offers
// it, by callbacks and with commands as the bytes they came in, which spares a decode and an encode for each.

import type { RaftNode, ReadLevel } from '../api.ts'
import type { LogIndex, Term } from '../rules/types.ts'
import { decodeValue } from '../transport/wire/codec.ts'

export type WriteOutcome =
  | { readonly ok: true; readonly index: LogIndex; readonly term: Term; readonly result: unknown }
  | { readonly ok: false; readonly error: unknown }

export type ReadOutcome =
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly error: unknown }

/** A node that also takes encoded commands. `done` comes exactly once, never before the call returns. */
export interface EncodedNode {
  /** `command` is one plain CBOR value and the node's to keep. */
  propose(command: Uint8Array, expectedTerm: Term | undefined, done: (outcome: WriteOutcome) => void): void
}

/** Hands checked, encoded commands to a member. Never throws. */
export type Propose = (command: Uint8Array, done: (outcome: WriteOutcome) => void) => void
/** Hands a query to a member. Never throws. */
export type Query = (query: unknown, level: ReadLevel, done: (outcome: ReadOutcome) => void) => void

export function proposerOf(node: RaftNode): Propose {
  if (takesEncoded(node)) return (command, done) => node.propose(command, undefined, done)
  return (command, done) => {
    const decoded = decodeValue(command)
    const applied = decoded.ok ? node.apply(decoded.value) : Promise.reject(new Error(decoded.reason))
    applied.then(
      (value) => done({ ok: true, ...value }),
      (error: unknown) => done({ ok: false, error }),
    )
  }
}

export function readerOf(node: RaftNode): Query {
  return (query, level, done) => {
    node.read(query, { level }).then(
      (answer) => done({ ok: true, answer }),
      (error: unknown) => done({ ok: false, error }),
    )
  }
}

function takesEncoded(node: RaftNode): node is RaftNode & EncodedNode {
  return 'propose' in node && typeof node.propose === 'function'
}
