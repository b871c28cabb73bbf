// The codec's face: everything that turns messages and values into bytes and back.

export {
  FRAME_RESERVE_BYTES,
  type FrameLimits,
  fitFrame,
  MAX_APPEND_BYTES,
  MAX_ENTRIES_PER_FRAME,
  withinRuns,
} from './entries.ts'
export { decodeRequest, RequestEncoder } from './request-codec.ts'
export {
  decodeResponse,
  encodeErrorResponse,
  encodeResponse,
} from './response-codec.ts'
export { decodeMessage, decodeValue, encodeMessage, encodeValue, VALUE_LIMITS } from './value-codec.ts'
export { copyValue } from './value-copy.ts'
export { checkEncodedValue } from './value-gate.ts'
