// A group without hosts: members that apply one log, a clock that is moved by hand, and whoever is told to leads.

import type { AnyStateMachine } from 'xstate'
import type { Applied } from '../../../src/api.ts'
import { QuorateError } from '../../../src/errors.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { silentLogger } from '../../../src/runtime/logger.ts'
import {
  Refused,
  type SnapshotContent,
  type SnapshotReader,
  type SnapshotWriter,
  type StateMachinePort,
} from '../../../src/state-machine.ts'
import { copyValue, decodeValue, encodeValue } from '../../../src/transport/wire/codec.ts'
import type { Actors, Replicated } from '../../../src/xstate.ts'

export class HandClock implements Clock {
  #nowMs = 0
  /** Of the wall: may be set back. */
  offsetMs = 1_000_000
  readonly #timers = new Map<number, { readonly atMs: number; readonly run: () => void }>()
  #ids = 0

  nowMs(): number {
    return this.#nowMs
  }
  wallMs(): number {
    return this.#nowMs + this.offsetMs
  }
  setTimeout(run: () => void, delayMs: number): number {
    this.#timers.set(++this.#ids, { atMs: this.#nowMs + Math.max(1, delayMs), run })
    return this.#ids
  }
  clearTimeout(id: unknown): void {
    if (typeof id === 'number') this.#timers.delete(id)
  }
  defer(run: () => void): void {
    setImmediate(run)
  }

  /** One timer after the other, with all promises settled between them. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await turn()
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= untilMs)
      const [next] = due.sort(([, a], [, b]) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#timers.delete(next[0])
      this.#nowMs = Math.max(this.#nowMs, next[1].atMs)
      next[1].run()
      await turn()
    }
    this.#nowMs = untilMs
  }
}

/** Until nothing is left to do without time passing. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve))
}

interface Entry {
  readonly bytes: Uint8Array
  readonly timeMs: number
}

export interface GroupMember<M extends AnyStateMachine> {
  readonly id: string
  readonly machine: Replicated<M>
  applied: number
}

export class Group<M extends AnyStateMachine> {
  readonly clock = new HandClock()
  readonly log: Entry[] = []
  readonly members = new Map<string, GroupMember<M>>()
  leader: string | null = null
  /** What becomes of proposals: null, they are carried out. */
  refuse: (() => QuorateError) | null = null
  readonly #make: (id: string) => Replicated<M>
  /** So far behind is the clock of the log. */
  slowMs = 0
  #timeMs = 0
  #term = 0

  constructor(make: (id: string) => Replicated<M>, ids: readonly string[] = ['a', 'b', 'c']) {
    this.#make = make
    for (const id of ids) this.start(id)
  }

  /** From the log alone, or from what was saved and the rest of the log. */
  start(id: string): GroupMember<M> {
    const member = this.#join(id)
    this.#catchUp(member)
    return member
  }

  async startFrom(id: string, saved: Saved): Promise<GroupMember<M>> {
    const member = this.#join(id)
    await member.machine.onSnapshotLoad?.(readerOf(saved), new AbortController().signal)
    member.applied = saved.index
    this.#catchUp(member)
    return member
  }

  /** Without farewell. */
  kill(id: string): void {
    if (this.leader === id) this.leader = null
    this.members.get(id)?.machine.onShutdown?.()
    this.members.delete(id)
  }

  lead(id: string): void {
    const before = this.leader === null ? undefined : this.members.get(this.leader)
    this.leader = id
    this.#term += 1
    before?.machine.onLeaderStop?.('HIGHER_TERM')
    this.members.get(id)?.machine.onLeaderStart?.(this.#term)
  }

  member(id: string): GroupMember<M> {
    const member = this.members.get(id)
    if (member === undefined) throw new Error(`there is no ${id}`)
    return member
  }

  /** The instances, as seen at a member; commands go to whoever leads. */
  at(id: string): Actors<M> {
    const { machine } = this.member(id)
    return machine.actors({
      apply: (command) => this.propose(command),
      read: async (query) => copyValue(await machine.read?.(query)),
    })
  }

  async propose(command: unknown, from = this.leader): Promise<Applied> {
    // As a node does: nothing is applied before this returns.
    await Promise.resolve()
    if (this.leader === null || from !== this.leader)
      throw new QuorateError('NOT_LEADER', 'This member does not lead.', { retryable: true })
    if (this.refuse !== null) throw this.refuse()
    this.#timeMs = Math.max(this.#timeMs, this.clock.wallMs() - this.slowMs)
    this.log.push({ bytes: encodeValue(command), timeMs: this.#timeMs })
    let result: unknown
    for (const member of this.members.values()) {
      const own = this.#catchUp(member)
      if (member.id === from) result = own
    }
    if (result instanceof Refused) throw result.error
    return { index: this.log.length, term: this.#term, result: copyValue(result) }
  }

  hashes(): ReadonlySet<string | undefined> {
    return new Set([...this.members.values()].map(({ machine }) => machine.stateHash?.()))
  }

  #join(id: string): GroupMember<M> {
    const member: GroupMember<M> = { id, machine: this.#make(id), applied: 0 }
    this.members.set(id, member)
    const propose: StateMachinePort['propose'] = (command, done) =>
      void this.propose(command, id).then(
        (applied) => done({ ok: true, ...applied }),
        (error: unknown) => done({ ok: false, error }),
      )
    const { clock } = this
    member.machine.onStart?.({ group: 'orders', id, clock, logger: silentLogger, propose })
    return member
  }

  #catchUp(member: GroupMember<M>): unknown {
    let result: unknown
    while (member.applied < this.log.length) {
      const entry = this.log[member.applied++]
      const command = entry === undefined ? undefined : decodeValue(entry.bytes)
      if (entry === undefined || !command?.ok) throw new Error('the log is broken')
      result = member.machine.apply(command.value, { index: member.applied, term: 1, timeMs: entry.timeMs })
    }
    return result
  }
}

export interface Saved {
  readonly index: number
  readonly bytes: Uint8Array
}

export async function save({ machine, applied }: GroupMember<AnyStateMachine>): Promise<Saved> {
  const pieces: Uint8Array[] = []
  const meta = { lastIncludedIndex: applied, lastIncludedTerm: 1, peers: [], oldPeers: [] }
  const writer: SnapshotWriter = {
    meta,
    addFile: async (_, content: SnapshotContent) => {
      if (content instanceof Uint8Array) pieces.push(content)
      else for await (const piece of content) pieces.push(piece)
    },
    removeFile: async () => {},
  }
  const background = await machine.onSnapshotSave?.(writer, new AbortController().signal)
  if (typeof background === 'function') await background()
  return { index: applied, bytes: Buffer.concat(pieces) }
}

function readerOf({ index, bytes }: Saved): SnapshotReader {
  return {
    meta: { lastIncludedIndex: index, lastIncludedTerm: 1, peers: [], oldPeers: [] },
    files: () => [],
    // In pieces that end anywhere.
    open: async function* () {
      for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100)
    },
    readAll: async () => bytes,
  }
}
