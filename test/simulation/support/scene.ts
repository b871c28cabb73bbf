// A cluster made of nothing but observations, for showing the checker what it should and should not accept.

import { expect } from 'vitest'
import { EntryType, type HardState, type LogEntry, type LogId } from '../../../src/rules/types.ts'
import {
  type CheckerOptions,
  type DurableObservation,
  InvariantChecker,
  type InvariantName,
  InvariantViolation,
  type NodeObservation,
  type SentMessage,
} from '../../../src/simulation/invariants/invariants.ts'

type View = Omit<
  { -readonly [K in keyof NodeObservation]: NodeObservation[K] },
  'entryAt' | 'firstIndex' | 'lastIndex'
>

/** Entry `index` of `term`; the same text gives the same bytes. */
export function entry(
  index: number,
  term: number,
  text = `${index}.${term}`,
  type: EntryType = EntryType.DATA,
): LogEntry {
  return { index, term, type, data: new TextEncoder().encode(text) }
}

export class Member {
  readonly view: View
  log: LogEntry[] = []
  firstIndex = 1
  hardState: HardState | null = null
  durableLog: LogEntry[] = []
  durableSnapshot: LogId | null = null

  constructor(id: string, peers: readonly string[]) {
    this.view = {
      id,
      life: 1,
      alive: true,
      role: 'follower',
      term: 0,
      votedFor: null,
      leader: null,
      durableIndex: 0,
      commitIndex: 0,
      appliedIndex: 0,
      leaseValid: false,
      configuration: { peers, oldPeers: [] },
      stateHash: null,
      snapshot: null,
    }
  }

  observation(): NodeObservation {
    const { log, firstIndex } = this
    return {
      ...this.view,
      firstIndex,
      lastIndex: firstIndex + log.length - 1,
      entryAt: (index) => log.find((candidate) => candidate.index === index) ?? null,
    }
  }

  get durable(): DurableObservation {
    const { durableLog, hardState, durableSnapshot } = this
    return {
      snapshot: durableSnapshot,
      hardState,
      firstIndex: durableLog[0]?.index ?? 1,
      lastIndex: durableLog.at(-1)?.index ?? 0,
      termBeforeFirst: 0,
      entryAt: (index) => durableLog.find((candidate) => candidate.index === index) ?? null,
    }
  }
}

export class Scene {
  readonly checker: InvariantChecker
  readonly #members: Record<string, Member>

  constructor(ids: readonly string[] = ['A', 'B', 'C'], options: Partial<CheckerOptions> = {}) {
    this.#members = Object.fromEntries(ids.map((id) => [id, new Member(id, ids)]))
    this.checker = new InvariantChecker({ durable: (id) => this.member(id).durable, ...options })
  }

  member(id: string): Member {
    const member = this.#members[id]
    if (member === undefined) throw new Error(`No member ${id}.`)
    return member
  }

  /** Changes how `id` looks, and shows it to the checker. */
  see(id: string, changes: Partial<View> = {}): this {
    Object.assign(this.member(id).view, changes)
    this.checker.observe(this.member(id).observation())
    return this
  }

  /** Term and vote, in memory and on disk. */
  vote(id: string, term: number, votedFor: string | null): this {
    this.member(id).hardState = { term, votedFor }
    return this.see(id, { term, votedFor })
  }

  /** `id` hears of a later term. */
  stepDown(id: string, term: number): this {
    this.member(id).hardState = { term, votedFor: null }
    return this.see(id, { term, votedFor: null, role: 'follower', leader: null })
  }

  /** `id` wins `term` with its own vote and the others'. */
  elect(id: string, term: number, voters: readonly string[] = []): this {
    this.vote(id, term, id).see(id, { role: 'candidate' })
    this.send({ kind: 'vote', from: id, to: 'B', term })
    for (const voter of voters) {
      this.vote(voter, term, id).see(voter, { role: 'follower', leader: null })
      this.send({ kind: 'voteAck', from: voter, to: id, term, granted: true })
    }
    return this.see(id, { role: 'leader', leader: id })
  }

  /** Entries into the log in memory. */
  append(id: string, ...entries: LogEntry[]): this {
    this.member(id).log.push(...entries)
    return this.see(id)
  }

  /** Everything in memory reaches the disk. */
  sync(...ids: string[]): this {
    for (const id of ids) {
      const member = this.member(id)
      member.durableLog = [...member.log]
      this.see(id, { durableIndex: member.log.at(-1)?.index ?? 0 })
    }
    return this
  }

  send(message: SentMessage): this {
    this.checker.sent(message)
    return this
  }

  /** An append reaches `id`, which takes its entries and its commit index as it should. */
  replicate(id: string, from: string, entries: LogEntry[], committedIndex: number): this {
    const previous = this.member(from).log.find(({ index }) => index === (entries[0]?.index ?? 1) - 1)
    this.checker.received(id, {
      term: this.member(from).view.term,
      prevLogIndex: previous?.index ?? 0,
      prevLogTerm: previous?.term ?? 0,
      entryCount: entries.length,
      committedIndex,
    })
    return this.append(id, ...entries)
  }

  /** A restart: what is in memory is what was on disk. */
  restart(id: string): this {
    const member = this.member(id)
    member.log = [...member.durableLog]
    const { term = 0, votedFor = null } = member.hardState ?? {}
    this.see(id, { alive: false })
    this.checker.lifeEnded(id)
    const life = member.view.life + 1
    return this.see(id, {
      life,
      alive: true,
      role: 'follower',
      term,
      votedFor,
      leader: null,
      commitIndex: 0,
      appliedIndex: 0,
      leaseValid: false,
    })
  }
}

/** A cluster whose leader A has committed entries 1 to 3 of term 1 on A, B and C. */
export function settled(
  options: Partial<CheckerOptions> = {},
  ids: readonly string[] = ['A', 'B', 'C'],
): Scene {
  const scene = new Scene(ids, options).elect('A', 1, ['B', 'C'])
  const entries = [entry(1, 1, 'conf', EntryType.NO_OP), entry(2, 1), entry(3, 1)]
  scene.append('A', ...entries).sync('A')
  for (const id of ['B', 'C']) {
    scene.replicate(id, 'A', entries, 0).sync(id)
    scene.send({ kind: 'appendAck', from: id, to: 'A', term: 1, success: true, acknowledgedIndex: 3 })
  }
  scene.see('A', { commitIndex: 3 })
  for (const id of ['B', 'C']) {
    scene.checker.received(id, { term: 1, prevLogIndex: 3, prevLogTerm: 1, entryCount: 0, committedIndex: 3 })
    scene.see(id, { commitIndex: 3 })
  }
  return scene
}

/** Asserts that `act` breaks this invariant and no other, and that the sentence says what the test expects. */
export function breaks(invariant: InvariantName, act: () => unknown, sentence: string): void {
  let thrown: unknown = null
  try {
    act()
  } catch (error) {
    thrown = error
  }
  if (!(thrown instanceof InvariantViolation)) {
    throw thrown ?? new Error(`Nothing was broken, though ${invariant} should have been.`)
  }
  expect(`${thrown.invariant}: ${thrown.sentence}`).toContain(`${invariant}: `)
  expect(thrown.sentence).toContain(sentence)
}
