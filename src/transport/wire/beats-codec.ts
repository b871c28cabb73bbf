// What two processes say to each other about all groups that they share, as bytes: in the same tuples as what members say.

import { type BeatsAnswer, type BeatsRequest, beats } from './messages/beats.ts'
import { decodeSaid } from './request-codec.ts'
import { decodeAnswered, type InboundResponse } from './response-codec.ts'
import { PEER_PROTOCOL_VERSION, type Result, sealTuple } from './sealed-tuple.ts'

export function encodeBeats(from: string, said: BeatsRequest): Uint8Array {
  return sealTuple([PEER_PROTOCOL_VERSION, from, ...beats.request.toItems(said)])
}

/** Never throws. */
export function decodeBeats(
  bytes: Uint8Array,
): Result<{ readonly from: string; readonly message: BeatsRequest }> {
  return decodeSaid(beats, bytes)
}

export function encodeBeatsAnswer(from: string, said: BeatsAnswer): Uint8Array {
  return sealTuple([PEER_PROTOCOL_VERSION, from, null, ...beats.answer.toItems(said)])
}

/** Never throws. */
export function decodeBeatsAnswer(bytes: Uint8Array): Result<InboundResponse<BeatsAnswer>> {
  return decodeAnswered(beats, bytes)
}
