// One node in a world that the test owns: its clock, its disk, the other members and its state machine.

import type { InspectionEvent } from 'xstate'
import type { QueryOutcome } from '../../../src/actors/apply/apply-queue.events.ts'
import type { ProposalOutcome } from '../../../src/actors/apply/closures.ts'
import type { ChangeOutcome } from '../../../src/actors/membership/change-world.ts'
import type { ResetOutcome } from '../../../src/actors/membership/reset.ts'
import type { TransferOutcome } from '../../../src/actors/node/handover.ts'
import type { SnapshotOutcome } from '../../../src/actors/snapshot/snapshots.ts'
import type { ReadLevel } from '../../../src/api.ts'
import { NodeHandle } from '../../../src/host/node-handle.ts'
import { parseTuning, type TuningInput } from '../../../src/options.ts'
import type { ChangeWish } from '../../../src/rules/change.ts'
import type { Configuration, LogEntry } from '../../../src/rules/types.ts'
import { CacheBudget } from '../../../src/runtime/cache-budget.ts'
import { type Logger, silentLogger } from '../../../src/runtime/logger.ts'
import { SnapshotThrottle } from '../../../src/runtime/snapshot-throttle.ts'
import type { StateMachine } from '../../../src/state-machine.ts'
import type { NodeStatus } from '../../../src/status.ts'
import { encodeValue } from '../../../src/transport/wire/codec.ts'
import type { RequestOf, RequestVoteRequest } from '../../../src/transport/wire/messages/registry.ts'
import { type Answer, FakeRpc, says } from './fake-rpc.ts'
import { type DiskState, emptyDisk, FakeStorage } from './fake-storage.ts'
import { type Command, Recorder } from './recorder.ts'
import { VirtualClock } from './virtual-clock.ts'

export const GROUP = 'g'
export const ELECTION_MS = 1000

export interface RigOptions {
  readonly id?: string
  readonly peers?: readonly string[]
  /** Beside the peers: what the group begins with. */
  readonly configuration?: Partial<Configuration>
  readonly tuning?: TuningInput
  readonly disk?: Partial<DiskState>
  readonly trusted?: readonly string[]
  /** Takes the place of the recorder. */
  readonly stateMachine?: StateMachine
  /** An earlier life of the node: its disk is found again. */
  readonly after?: NodeRig
  readonly inspect?: (event: InspectionEvent) => void
  readonly logger?: Logger
  /** A number in [0, 1) for everything drawn. Default 0: no jitter. */
  readonly drawn?: number
}

/** How a caller of the node was answered; null while it waits. */
export interface Asked<T> {
  outcome: T | null
}

export class NodeRig {
  readonly clock: VirtualClock
  readonly storage: FakeStorage
  readonly rpc = new FakeRpc()
  readonly machine = new Recorder()
  readonly handle: NodeHandle
  /** What listeners heard: `role follower→candidate 2 PRE_VOTE_WON`, `leader b 3`, `error …`. */
  readonly heard: string[] = []
  /** How the start went, each time the node told. */
  readonly started: (Error | null)[] = []
  readonly #peers: readonly string[]
  ended = false

  constructor(options: RigOptions = {}) {
    const { id = 'a', peers = ['a', 'b', 'c'], tuning = {}, drawn = 0 } = options
    this.clock = options.after?.clock ?? new VirtualClock()
    this.storage = options.after?.storage ?? new FakeStorage(this.clock)
    if (options.disk !== undefined) this.storage.preset(GROUP, emptyDisk(options.disk))
    this.#peers = peers
    this.handle = new NodeHandle({
      group: GROUP,
      id,
      initialConfiguration: { peers, oldPeers: [], ...options.configuration },
      tuning: parseTuning({ electionTimeoutMs: ELECTION_MS, maxClockDriftMs: 1000, ...tuning }),
      stateMachine: options.stateMachine ?? this.machine,
      trusted: options.trusted ?? [],
      clock: this.clock,
      random: { next: () => drawn },
      logger: options.logger ?? silentLogger,
      storage: this.storage,
      caches: new CacheBudget(1_000_000),
      throttle: new SnapshotThrottle(this.clock),
      rpc: this.rpc,
      join: (handler) => this.rpc.serve(GROUP, handler),
      started: (error) => this.started.push(error),
      ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
    })
    this.handle.on('role', ({ from, to, term, reason }) => {
      this.heard.push(`role ${from}→${to} ${term} ${reason}`)
    })
    this.handle.on('leader', ({ leader, term }) => this.heard.push(`leader ${leader ?? 'nobody'} ${term}`))
    this.handle.on('error', (error) => this.heard.push(`error ${error.message}`))
  }

  /** The path in the chart, without `active.`. */
  get state(): string {
    return this.handle.status().state.replace(/^active\./, '')
  }

  get status(): NodeStatus {
    return this.handle.status()
  }

  get disk(): DiskState {
    return this.storage.disk(GROUP)
  }

  get others(): readonly string[] {
    return this.#peers.filter((peer) => peer !== this.handle.core.id)
  }

  /** Starts the node and lets it do what it can without anybody else. */
  boot(): this {
    this.handle.start()
    this.clock.settle()
    return this
  }

  /** Lets promises of user code be settled, and what follows from them. */
  async flush(): Promise<this> {
    for (let round = 0; round < 30; round++) {
      this.clock.settle()
      await new Promise((resolve) => setImmediate(resolve))
    }
    return this.settle()
  }

  settle(): this {
    this.clock.settle()
    return this
  }

  advance(ms: number): this {
    this.clock.advance(ms)
    return this
  }

  // ---- what others ask of the node

  preVote(from: string, request: Partial<RequestVoteRequest> & { term: number }): Answer {
    return this.rpc.deliver({ method: 'pre_vote', from, message: { ...NO_LOG, ...request } })
  }

  requestVote(from: string, request: Partial<RequestVoteRequest> & { term: number }): Answer {
    const message = { ...NO_LOG, ...request }
    return this.rpc.deliver({ method: 'request_vote', from, message })
  }

  append(from: string, request: Partial<RequestOf<'append_entries'>> & { term: number }): Answer {
    const message = { ...NO_ENTRIES, ...request }
    return this.rpc.deliver({ method: 'append_entries', from, message })
  }

  heartbeat(from: string, request: Partial<RequestOf<'heartbeat'>> & { term: number }): Answer {
    return this.rpc.deliver({ method: 'heartbeat', from, message: { ...NO_ENTRIES, ...request } })
  }

  timeoutNow(from: string, term: number, oldLeaderSteppedDown = false): Answer {
    const message = { term, oldLeaderSteppedDown }
    return this.rpc.deliver({ method: 'timeout_now', from, message })
  }

  readIndex(from: string, term: number): Answer {
    return this.rpc.deliver({ method: 'read_index', from, message: { term } })
  }

  offer(from: string, request: Partial<RequestOf<'install_snapshot'>> & { term: number }): Answer {
    const message = { ...OFFER, ...request }
    return this.rpc.deliver({ method: 'install_snapshot', from, message })
  }

  /** The copier reports. */
  copied(
    how: 'finished' | 'failed',
    over: { version?: number; kind?: 'local' | 'remote' | 'corrupt' } = {},
  ): void {
    const { snapshots } = this.handle.core
    const version = over.version ?? snapshots.copies
    const { newest } = snapshots.store ?? { newest: null }
    if (how === 'failed')
      this.handle.core.toSnapshots({
        type: 'copy.failed',
        version,
        kind: over.kind ?? 'remote',
        message: 'no',
        error: null,
      })
    else if (newest !== null || version !== snapshots.copies)
      this.handle.core.toSnapshots({ type: 'copy.finished', version, record: newest ?? NO_RECORD })
  }

  /** A snapshot of another member is on the own disk, whole and not loaded. */
  async publishCopy(
    index: number,
    term: number,
    files: Readonly<Record<string, string>> = { count: '7' },
  ): Promise<void> {
    const { store } = this.handle.core.snapshots
    const meta = { lastIncludedIndex: index, lastIncludedTerm: term, peers: ['a', 'b', 'c'], oldPeers: [] }
    const save = store?.create(meta, 1)
    for (const [name, text] of Object.entries(files)) {
      save?.write(name, new TextEncoder().encode(text), () => {})
      save?.endFile(name, null, () => {})
    }
    save?.publish(() => {})
    await this.flush()
  }

  getFile(from: string, request: Partial<RequestOf<'get_file'>> & { term: number }): Answer {
    const piece = { lastIncludedIndex: 1, lastIncludedTerm: 1, name: '', offset: 0, count: 1000 }
    return this.rpc.deliver({ method: 'get_file', from, message: { ...piece, ...request } })
  }

  // ---- what users ask of the node

  propose(command: Command, expectedTerm?: number): Asked<ProposalOutcome> {
    return this.proposeBytes(encodeValue(command), expectedTerm)
  }

  proposeBytes(data: Uint8Array, expectedTerm?: number): Asked<ProposalOutcome> {
    const asked: Asked<ProposalOutcome> = { outcome: null }
    this.handle.propose(data, expectedTerm, (outcome) => {
      if (asked.outcome !== null) throw new Error('a proposal was settled twice')
      asked.outcome = outcome
    })
    return asked
  }

  query(query: unknown, level: ReadLevel = 'readIndex'): Asked<QueryOutcome> {
    const asked: Asked<QueryOutcome> = { outcome: null }
    this.handle.query(query, level, (outcome) => {
      if (asked.outcome !== null) throw new Error('a query was answered twice')
      asked.outcome = outcome
    })
    return asked
  }

  transfer(to: string | null): Asked<TransferOutcome> {
    const asked: Asked<TransferOutcome> = { outcome: null }
    this.handle.transfer(to, (outcome) => {
      if (asked.outcome !== null) throw new Error('a transfer was answered twice')
      asked.outcome = outcome
    })
    this.settle()
    return asked
  }

  /** Why the node does not stand for election; null: it does. */
  vote(electionTimeoutMs?: number): string | null {
    let code: string | null = 'nothing'
    this.handle.vote(electionTimeoutMs, (error) => {
      if (code !== 'nothing') throw new Error('a vote was answered twice')
      code = error?.code ?? null
    })
    this.settle()
    return code
  }

  snapshot(): Asked<SnapshotOutcome> {
    const asked: Asked<SnapshotOutcome> = { outcome: null }
    this.handle.snapshot((outcome) => {
      if (asked.outcome !== null) throw new Error('a caller was told twice of his snapshot')
      asked.outcome = outcome
    })
    return asked
  }

  /** Wishes other members. */
  change(wish: ChangeWish, expect?: readonly string[]): Asked<ChangeOutcome> {
    const asked: Asked<ChangeOutcome> = { outcome: null }
    this.handle.change(wish, expect, (outcome) => {
      if (asked.outcome !== null) throw new Error('a caller was told twice of his change')
      asked.outcome = outcome
    })
    this.clock.settle()
    return asked
  }

  /** These are to be the members. */
  changeTo(...members: readonly string[]): Asked<ChangeOutcome> {
    return this.change({ kind: 'set', members: members.map((id) => ({ id })) })
  }

  /** Forces who the members are. */
  reset(...peers: readonly string[]): Asked<ResetOutcome> {
    const asked: Asked<ResetOutcome> = { outcome: null }
    this.handle.resetPeers(peers, (outcome) => {
      if (asked.outcome !== null) throw new Error('a caller was told twice of his reset')
      asked.outcome = outcome
    })
    this.clock.settle()
    return asked
  }

  shutdown(): this {
    this.handle.shutdown(() => {
      this.ended = true
    })
    return this
  }

  // ---- whole stretches of a node's life

  /** Waits for the election timer; the node asks for pre-votes. */
  seekElection(): this {
    for (let i = 0; i < 100 && !this.state.includes('preVoting'); i++) this.advance(100)
    if (!this.state.includes('preVoting')) throw new Error(`the node never sought election: ${this.state}`)
    return this
  }

  /** Everybody would vote for the node: it becomes a candidate. */
  stand(): this {
    this.seekElection()
    const { term } = this.handle.status()
    for (const peer of this.others) {
      const call = this.rpc.last('pre_vote', peer)
      if (call.isOpen) call.answer(says.yes(term))
    }
    return this.settle()
  }

  /** Everybody votes for the node: it leads, and its first entry is on its own disk. */
  lead(): this {
    if (this.handle.status().role !== 'candidate') this.stand()
    const { term } = this.handle.status()
    for (const peer of this.others) {
      if (this.handle.status().role === 'leader') break
      this.rpc.last('request_vote', peer).answer(says.yes(term))
    }
    return this.settle()
  }

  /** Leads, and everybody has the first entry of the term. */
  establish(): this {
    this.lead()
    return this.acknowledge()
  }

  /** These members, or all, acknowledge all frames until none is open. */
  acknowledge(...peers: string[]): this {
    const who = peers.length > 0 ? peers : this.others
    const { term } = this.handle.status()
    for (let round = 0; round < 1000; round++) {
      const open = this.rpc.calls('append_entries').filter((call) => call.isOpen && who.includes(call.to))
      if (open.length === 0) return this
      for (const call of open) {
        if (!call.isOpen) continue
        const { prevLogIndex, entries } = call.request
        call.answer({ term, success: true, lastLogIndex: prevLogIndex + entries.length })
      }
      this.settle()
    }
    throw new Error('the frames never end')
  }

  /** Follows `leader` in `term`, by a heartbeat. */
  follow(leader: string, term: number): this {
    this.heartbeat(leader, { term })
    return this.settle()
  }
}

export function rig(options: RigOptions = {}): NodeRig {
  return new NodeRig(options)
}

const OFFER = {
  identities: [],
  newcomers: [],
  ...{ learners: [], witnesses: [], priorities: [] },
  ...{ lastIncludedIndex: 1, lastIncludedTerm: 2, peers: ['a', 'b', 'c'], oldPeers: [] },
  ...{ bytes: 1, files: 1, takenAtMs: 1, withheld: false },
}
const NO_META = { lastIncludedIndex: 0, lastIncludedTerm: 0, peers: [], oldPeers: [] }
const NO_RECORD = { meta: NO_META, files: [], bytes: 0, takenAtMs: 0 }
const NO_LOG = { lastLogIndex: 0, lastLogTerm: 0, disruptedLeader: null }
/** An append of nothing, from the beginning of the log. */
export const NO_ENTRIES_OF = { prevLogIndex: 0, prevLogTerm: 0 } as const
const NO_ENTRIES = { prevLogIndex: 0, prevLogTerm: 0, committedIndex: 0, entries: [] as readonly LogEntry[] }
