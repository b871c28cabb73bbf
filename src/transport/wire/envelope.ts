// What stands around a command in the log when more than the command has to get there: the time of the entry, the trace
// that it belongs to, the session that it was sent in. A tag that no value of a user can begin with tells one from the
// other, so a bare command costs one look at one byte.
//
//   0x51727431([time as float64, null or [traceparent, tracestate or null], null or [session, sequence, acknowledged], command])

import { QuorateError } from '../../errors.ts'
import { startsWith } from './byte-string.ts'
import { encodeValue, VALUE_LIMITS } from './value-codec.ts'
import { checkEncodedValue, type ValueReason } from './value-gate.ts'

/** W3C Trace Context, as its two headers have it. A carrier that OpenTelemetry's propagators take as it is. */
export interface TraceContext {
  readonly traceparent: string
  readonly tracestate?: string
}

/** Where a command stands in what one client does, so that it is carried out once. */
export interface SessionMark {
  /** Index of the entry that opened the session. 0: this is that entry. */
  readonly session: number
  /** Of the command in its session, from 1 on; of an opening: for how many milliseconds it may stand idle. 0: closes it. */
  readonly sequence: number
  /** The client has the results of all commands up to here. */
  readonly acknowledged: number
}

export interface CommandMarks {
  readonly trace?: TraceContext | null
  readonly session?: SessionMark | null
}

export interface Envelope {
  /** By the leader's clock when it entered the log, in ms since 1970; 0: nobody has stamped it. */
  readonly timeMs: number
  readonly trace: TraceContext | null
  readonly session: SessionMark | null
  /** The encoded command: a view. */
  readonly command: Uint8Array
}

const HEAD = Uint8Array.of(0xda, 0x51, 0x72, 0x74, 0x31, 0x84, 0xfb)
const TIME_AT = HEAD.length
const PARTS_AT = TIME_AT + 8
const NULL = 0xf6
const MAX_TRACE_STATE = 512
const MAX_UINT32 = 0xffff_ffff
const TRACE_PARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
const TRACE_STATE = /^[\x20-\x7e]*$/

export function isEnvelope(data: Uint8Array): boolean {
  return data[0] === HEAD[0]
}

/** Puts an encoded command into an envelope, which nobody has stamped yet. */
export function sealCommand(command: Uint8Array, { trace = null, session = null }: CommandMarks): Uint8Array {
  const traced = encodeValue(trace === null ? null : [trace.traceparent, trace.tracestate ?? null])
  const marked = encodeValue(
    session === null ? null : [session.session, session.sequence, session.acknowledged].map(whole),
  )
  const bytes = new Uint8Array(PARTS_AT + traced.length + marked.length + command.length)
  bytes.set(HEAD)
  bytes.set(traced, PARTS_AT)
  bytes.set(marked, PARTS_AT + traced.length)
  bytes.set(command, PARTS_AT + traced.length + marked.length)
  return bytes
}

/**
 * An encoded command with the trace that it belongs to.
 * @throws QuorateError INVALID for a trace context that is none
 */
export function traced(command: Uint8Array, trace: TraceContext | undefined): Uint8Array {
  checkTrace(trace)
  return trace === undefined ? command : sealCommand(command, { trace })
}

/** @throws QuorateError INVALID for a trace context that is none */
export function checkTrace(trace: TraceContext | undefined): void {
  const problem = trace === undefined ? null : traceProblem(trace)
  if (problem !== null) throw new QuorateError('INVALID', `Option traceContext: ${problem}.`)
}

/** Writes the time into an envelope, in place. */
export function stampEnvelope(data: Uint8Array, timeMs: number): void {
  new DataView(data.buffer, data.byteOffset, data.length).setFloat64(TIME_AT, timeMs)
}

/** The time in an envelope; null: it is none that can be read. */
export function stampOf(data: Uint8Array): number | null {
  if (!startsWith(data, HEAD) || data.length <= PARTS_AT) return null
  const timeMs = new DataView(data.buffer, data.byteOffset, data.length).getFloat64(TIME_AT)
  return timeMs >= 0 && timeMs <= Number.MAX_SAFE_INTEGER ? timeMs : null
}

/** What is in an envelope; null: it is none that can be read. */
export function openEnvelope(data: Uint8Array): Envelope | null {
  const timeMs = stampOf(data)
  if (timeMs === null) return null
  const parts = new Parts(data, PARTS_AT)
  const trace = parts.isNull() ? null : parts.trace()
  const session = parts.isNull() ? null : parts.session()
  if (trace === undefined || session === undefined || parts.at >= data.length) return null
  return { timeMs, trace, session, command: data.subarray(parts.at) }
}

/** The encoded command, whatever stands around it. */
export function commandOf(data: Uint8Array): Uint8Array {
  return isEnvelope(data) ? (openEnvelope(data)?.command ?? data) : data
}

/** Written as a whole number also where the codec of values would take a float. */
const whole = (count: number): number | bigint => (count > MAX_UINT32 ? BigInt(count) : count)

/** The reason to refuse a command that somebody else has encoded, bare or in an envelope; undefined: it may be logged. */
export function checkCommand(data: Uint8Array): ValueReason | 'ENVELOPE' | undefined {
  if (!isEnvelope(data)) return checkEncodedValue(data)
  const envelope = openEnvelope(data)
  if (envelope === null || data.length > VALUE_LIMITS.maxBytes) return 'ENVELOPE'
  return checkEncodedValue(envelope.command)
}

/** What is wrong with a trace context that a user gave, as the end of a sentence; null: nothing. */
function traceProblem({ traceparent, tracestate }: TraceContext): string | null {
  if (typeof traceparent !== 'string' || !TRACE_PARENT.test(traceparent))
    return 'traceparent is no W3C trace parent, as 00-<32 hex digits>-<16 hex digits>-01'
  if (tracestate === undefined) return null
  const isFine =
    typeof tracestate === 'string' && tracestate.length <= MAX_TRACE_STATE && TRACE_STATE.test(tracestate)
  return isFine ? null : `tracestate is no text of at most ${MAX_TRACE_STATE} printable ASCII characters`
}

/** Reads on from a place; undefined: something else stands there. */
class Parts {
  at: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  isNull(): boolean {
    if (this.#bytes[this.at] !== NULL) return false
    this.at += 1
    return true
  }

  trace(): TraceContext | undefined {
    if (this.#bytes[this.at++] !== 0x82) return undefined
    const traceparent = this.#text()
    const tracestate = this.isNull() ? undefined : this.#text()
    if (traceparent === undefined || (tracestate === undefined && this.#bytes[this.at - 1] !== NULL))
      return undefined
    const trace = tracestate === undefined ? { traceparent } : { traceparent, tracestate }
    return traceProblem(trace) === null ? trace : undefined
  }

  session(): SessionMark | undefined {
    if (this.#bytes[this.at++] !== 0x83) return undefined
    const session = this.#count(0)
    const sequence = this.#count(0)
    const acknowledged = this.#count(0)
    if (session === undefined || sequence === undefined || acknowledged === undefined) return undefined
    return { session, sequence, acknowledged }
  }

  #text(): string | undefined {
    const length = this.#count(3)
    if (length === undefined || length > MAX_TRACE_STATE || this.at + length > this.#bytes.length)
      return undefined
    const { buffer, byteOffset } = this.#bytes
    const text = Buffer.from(buffer, byteOffset + this.at, length).toString('latin1')
    this.at += length
    return text
  }

  /** The argument of a head of this major type, within what a JavaScript number counts. */
  #count(major: number): number | undefined {
    const head = this.#bytes[this.at++] ?? 0xff
    const info = head & 0x1f
    if (head >> 5 !== major || info > 27) return undefined
    if (info < 24) return info
    let value = 0
    for (const end = this.at + (1 << (info - 24)); this.at < end; this.at += 1)
      value = value * 256 + (this.#bytes[this.at] ?? Number.NaN)
    return Number.isSafeInteger(value) ? value : undefined
  }
}
