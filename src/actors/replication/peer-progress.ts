// What a leader knows of one follower, written by its replicator and heartbeat, read by the rules.

import type { Identity, LogIndex, PeerId } from '../../rules/types.ts'
import type { Vouched } from '../../transport/rpc/peer-rpc.ts'

/** One AppendEntries sent and not yet answered. */
export interface Frame {
  readonly call: number
  readonly prevLogIndex: LogIndex
  readonly count: number
  readonly bytes: number
  readonly sentMs: number
  /** What it says is committed. */
  readonly committedIndex: LogIndex
}

/** How far a follower has got with a snapshot. */
export interface Installing {
  readonly snapshotIndex: LogIndex
  readonly doneBytes: number
  readonly totalBytes: number
}

/** Weight of a slower round trip in the estimate. */
const ROUND_TRIP_WEIGHT = 1 / 32

export class PeerProgress {
  readonly peer: PeerId
  nextIndex: LogIndex
  matchIndex: LogIndex = 0
  /** How often it has answered. */
  answers = 0
  /** True once the peer has answered anything in this term. */
  contacted = false
  consecutiveErrors = 0
  /** The files it speaks of; 0: it has not said. */
  identity: Identity = 0
  /** Since when, in the log, it has been read-only; null: it is not. */
  readonlyIndex: LogIndex | null = null
  /** It is sent no payload (rules/witness.ts). */
  isWitness = false
  /** Of a witness: up to where it may be told of the log (rules/witness.ts). */
  tellableIndex: LogIndex = 0
  /** It has said that its files lack payload, as those of a witness do. */
  lacksPayload = false
  /** As far as it knows what is committed, by its own answers. */
  toldIndex: LogIndex = 0
  /** Heartbeats in a row that found nothing to say. */
  calmBeats = 0
  /** Frames sent since the last heartbeat was due. */
  framesSince = 0
  state: 'probing' | 'replicating' | 'waiting' | 'blocked' | 'installingSnapshot' = 'probing'
  /** The snapshot that it is being sent, as far as it has told; null: none. */
  installing: Installing | null = null
  /** What a message without entries takes there and back when nothing is in its way. */
  roundTripMs = 0
  readonly inFlight: Frame[] = []
  #contactMs: number
  #vouched: Vouched | null = null
  #calls = 0

  constructor(peer: PeerId, nextIndex: LogIndex, nowMs: number) {
    this.peer = peer
    this.nextIndex = nextIndex
    this.#contactMs = nowMs
  }

  /** Send time of the newest request that was answered; a new leader gives everybody one timeout (thesis 6.2). */
  get lastContactMs(): number {
    return this.#vouched === null ? this.#contactMs : Math.max(this.#contactMs, this.#vouched.atMs)
  }

  /** Its process vouches for it: it is sent nothing. */
  get isAsleep(): boolean {
    return this.#vouched !== null
  }

  fallAsleep(vouched: Vouched): void {
    this.#vouched = vouched
  }

  /** What is vouched for from now on is not vouched for this one. */
  wakeUp(): void {
    this.#contactMs = this.lastContactMs
    this.#vouched = null
  }

  get isReadonly(): boolean {
    return this.readonlyIndex !== null
  }

  /** It is to hold data, and its files are those of a witness: what it acknowledges is not held there. */
  get isMisplaced(): boolean {
    return this.lacksPayload && !this.isWitness
  }

  /** Since when it has owed an answer to a frame; null: it owes none. */
  get owesSinceMs(): number | null {
    return this.inFlight[0]?.sentMs ?? null
  }

  get inFlightBytes(): number {
    return this.inFlight.reduce((sum, frame) => sum + frame.bytes, 0)
  }

  get inFlightEntries(): number {
    return this.inFlight.reduce((sum, frame) => sum + frame.count, 0)
  }

  sent(frame: Omit<Frame, 'call'>): Frame {
    const numbered = { call: ++this.#calls, ...frame }
    this.inFlight.push(numbered)
    this.framesSince++
    this.nextIndex = frame.prevLogIndex + frame.count + 1
    return numbered
  }

  /** The frame of this call, unless a reset has forgotten it: then its answer means nothing any more (trap T28). */
  find(call: number): Frame | undefined {
    return this.inFlight.find((frame) => frame.call === call)
  }

  /** An answer came, whatever it says. Times only move forward (trap T23). */
  contact(sentMs: number): void {
    this.#contactMs = Math.max(this.#contactMs, sentMs)
    this.contacted = true
    this.answers++
    this.consecutiveErrors = 0
  }

  /** What other files have acknowledged is nothing to these. */
  speaksOf(identity: Identity): void {
    if (identity === 0 || identity === this.identity) return
    if (this.identity !== 0) this.matchIndex = this.toldIndex = 0
    this.identity = identity
  }

  /** Falls at once and rises slowly: what is sought is the time without anything in the way. */
  noteRoundTrip(tookMs: number): void {
    const risen = this.roundTripMs + (tookMs - this.roundTripMs) * ROUND_TRIP_WEIGHT
    this.roundTripMs = this.roundTripMs === 0 ? tookMs : Math.min(tookMs, risen)
  }

  /** A success vouches for everything sent before it (trap T27). Returns whether the match index moved. */
  credit(frame: Frame): boolean {
    while (this.inFlight[0] !== undefined && this.inFlight[0].call <= frame.call) this.inFlight.shift()
    const matched = frame.prevLogIndex + frame.count
    this.told(frame.committedIndex, matched)
    if (matched <= this.matchIndex) return false
    this.matchIndex = matched
    return true
  }

  /** It has heard how far the log is committed; it believes that as far as its log is known to be ours. */
  told(committedIndex: LogIndex, sharedIndex: LogIndex): void {
    this.toldIndex = Math.max(this.toldIndex, Math.min(committedIndex, sharedIndex))
  }

  /** Everything up to a snapshot's end is durable there. Returns whether the match index moved. */
  creditSnapshot(lastIncludedIndex: LogIndex): boolean {
    this.nextIndex = lastIncludedIndex + 1
    if (lastIncludedIndex <= this.matchIndex) return false
    this.matchIndex = lastIncludedIndex
    return true
  }

  /** Forgets what is in flight and goes back to where it began. */
  reset(): void {
    const first = this.inFlight[0]
    if (first !== undefined) this.nextIndex = first.prevLogIndex + 1
    this.inFlight.length = 0
  }
}
