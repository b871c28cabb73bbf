// The closed list of reasons for which something from the bus is dropped. The same words stand in logs, metrics and
// tools.

import type { GateReason } from '../wire/gate.ts'

export type DropReason =
  | GateReason
  | 'TOO_LARGE' // more bytes than a message of its kind can have
  | 'BAD_CHECKSUM' // damaged on its way, or not from a member
  | 'UNDECODABLE' // the decoder gave up
  | 'WRONG_VERSION' // another major version of the protocol
  | 'BAD_BODY' // plain data, but not this message
  | 'BAD_SUBJECT' // not a subject of the grammar
  | 'UNKNOWN_METHOD' // perhaps of a later version; answered with ENOMETHOD
  | 'BAD_REPLY_SUBJECT' // wants its answer where only requests may go
  | 'FORGED_SENDER' // the sender in the body is not the one in the subject
  | 'IMPLAUSIBLE_TERM' // a term that elections cannot have led to
  | 'WRONG_PEER' // an answer from somebody who was not asked
  | 'LATE_REPLY' // an answer to a call that is over, or never was

/** Takes note of everything that is dropped. `sender` may be forged: never trust it, and bound what is kept per name. */
export interface Drops {
  record(reason: DropReason, sender: string, detail: string): void
}
