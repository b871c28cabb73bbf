// What callers are told, and how often: INV-16, INV-17, INV-18.

import type { LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { CheckerContext } from './context.ts'
import type { EntryRecord } from './log-registry.ts'
import type { Call, Completion } from './observation.ts'
import { lastCarriedOut } from './session-rules.ts'
import { InvariantViolation } from './violation.ts'

interface OpenCall extends Call {
  /** The call itself has come back; a completion before that is synchronous. */
  returned: boolean
  /** For linearizable reads: what has been shown or acknowledged before they began. */
  readonly floorIndex: LogIndex
}

interface Report {
  readonly id: number
  readonly call: Call
  readonly index: LogIndex
  readonly term: Term
}

export class CompletionRules {
  readonly #context: CheckerContext
  readonly #open = new Map<number, OpenCall>()
  readonly #completed = new Set<number>()
  /** Open when their process died: nobody is left to be told. */
  readonly #abandoned = new Set<number>()
  #unsettled: Report[] = []
  /** Reported in the last step of a process; nobody else has committed them yet. */
  readonly #orphans: Report[] = []
  /** Proposals that certainly have no effect. */
  readonly #failedKeys = new Map<string, number>()
  readonly #canonicalKeys = new Map<string, LogIndex>()
  /** Per member and term: the last index reported as done. */
  readonly #lastReported = new Map<PeerId, { term: Term; index: LogIndex }>()
  #acknowledgedIndex: LogIndex = 0
  #shownIndex: LogIndex = 0
  /** Off while clocks are outside of their bound (P8): lease reads may be stale then. */
  checksReads = true

  constructor(context: CheckerContext) {
    this.#context = context
  }

  /** Highest index that any caller was told `ok` for. */
  get acknowledgedIndex(): LogIndex {
    return this.#acknowledgedIndex
  }

  get open(): number {
    return this.#open.size
  }

  invoked(id: number, call: Call): void {
    if (this.#open.has(id) || this.#completed.has(id) || this.#abandoned.has(id)) {
      throw new Error(`Call ${id} was invoked twice: give every call an id of its own.`)
    }
    const acknowledgedIndex = lastCarriedOut(this.#context, this.#acknowledgedIndex)
    const floorIndex = Math.max(acknowledgedIndex, this.#shownIndex)
    this.#open.set(id, { ...call, returned: false, floorIndex })
  }

  returned(id: number): void {
    const call = this.#open.get(id)
    if (call !== undefined) call.returned = true
  }

  completed(id: number, completion: Completion): void {
    if (this.#abandoned.has(id)) return
    const call = this.#open.get(id)
    if (this.#completed.has(id)) {
      throw new InvariantViolation('INV-17', `Call ${id} was completed twice.`, { ...completion })
    }
    if (call === undefined) throw new Error(`Call ${id} completed without having been invoked.`)
    if (!call.returned) {
      throw new InvariantViolation(
        'INV-17',
        `The ${call.kind} ${id} on ${call.node} was completed inside the call that made it.`,
      )
    }
    this.#open.delete(id)
    this.#completed.add(id)
    if (call.kind === 'proposal') this.#checkProposal(id, call, completion)
    else if (call.kind === 'membership') this.#checkChange(id, call, completion)
    else if (call.kind === 'snapshot') this.#checkSnapshot(id, call, completion)
    else if (call.kind === 'read' && completion.outcome === 'ok') this.#checkRead(id, call, completion)
  }

  /** A step of `node` is over: what it reported as done is committed by now. */
  stepEnded(node: PeerId): void {
    if (this.#unsettled.length === 0) return
    const settled = this.#unsettled.filter(({ call }) => call.node === node)
    this.#unsettled = this.#unsettled.filter(({ call }) => call.node !== node)
    for (const report of settled) this.#checkReport(report)
  }

  /** No step is going on: whatever was reported as done has to be committed by now. */
  checkSettled(): void {
    for (const report of this.#unsettled) this.#checkReport(report)
  }

  /** The process is gone, and its promises to its own callers with it, but not what it reported. */
  lifeEnded(node: PeerId): void {
    for (const report of this.#unsettled) if (report.call.node === node) this.#orphans.push(report)
    this.#unsettled = this.#unsettled.filter(({ call }) => call.node !== node)
    for (const [id, call] of this.#open) {
      if (call.node !== node) continue
      this.#open.delete(id)
      this.#abandoned.add(id)
    }
    this.#lastReported.delete(node)
  }

  /** A new entry is committed. */
  canonical(record: EntryRecord): void {
    for (const report of this.#orphans) if (report.index === record.index) this.#checkReport(report)
    const key = this.#context.options.identify?.(record) ?? null
    if (key === null) return
    this.#canonicalKeys.set(key, record.index)
    const failed = this.#failedKeys.get(key)
    if (failed !== undefined) this.#complainRefused(failed, record.index)
  }

  /** Nothing may be open once everything is quiet or closed. */
  finish(node?: PeerId): void {
    for (const [id, call] of this.#open) {
      if (node !== undefined && call.node !== node) continue
      throw new InvariantViolation('INV-17', `The ${call.kind} ${id} on ${call.node} was never completed.`)
    }
  }

  #checkProposal(id: number, call: OpenCall, { outcome, index, term }: Completion): void {
    if (outcome === 'failed' && call.key !== undefined) {
      this.#failedKeys.set(call.key, id)
      const index = this.#canonicalKeys.get(call.key)
      if (index !== undefined) this.#complainRefused(id, index)
    }
    if (outcome !== 'ok') return
    if (index === undefined || term === undefined) {
      throw new Error(`Proposal ${id} on ${call.node} is done: say at which index, in which term.`)
    }
    if (call.expectedTerm !== undefined && call.expectedTerm !== term) {
      throw new InvariantViolation(
        'INV-18',
        `Proposal ${id} on ${call.node} was done in term ${term}, though its caller had asked for term ${call.expectedTerm} only.`,
      )
    }
    const last = this.#lastReported.get(call.node)
    if (last !== undefined && last.term === term && index <= last.index) {
      throw new InvariantViolation(
        'INV-17',
        `${call.node} reported proposal ${id} at ${index} after one at ${last.index} of the same term.`,
      )
    }
    this.#lastReported.set(call.node, { term, index })
    this.#acknowledgedIndex = Math.max(this.#acknowledgedIndex, index)
    const report = { id, call, index, term }
    // The commit may be of this very step, which the checker sees when the step is over.
    if (this.#context.canon.at(index) === null) this.#unsettled.push(report)
    else this.#checkReport(report)
  }

  #checkReport({ id, call, index, term }: Report): void {
    const record = this.#context.canon.at(index)
    if (record === null || record.term !== term) {
      throw new InvariantViolation(
        'INV-18',
        `${call.kind === 'membership' ? 'Change' : 'Proposal'} ${id} on ${call.node} was reported done at ${index} of term ${term}, but ${record === null ? 'nothing' : `term ${record.term}`} is committed there.`,
      )
    }
    if (call.kind === 'membership') return this.#checkFinal(id, call, record)
    const key = this.#context.options.identify?.(record) ?? null
    if (key === null || call.key === undefined || key === call.key) return
    throw new InvariantViolation(
      'INV-18',
      `Proposal ${id} (${call.key}) on ${call.node} was reported done at ${index}, where ${key} is committed.`,
    )
  }

  /** A change that is told as done is one: its last configuration is committed. */
  #checkChange(id: number, call: OpenCall, { outcome, index, term }: Completion): void {
    if (outcome !== 'ok' || index === undefined || term === undefined) return
    const report = { id, call, index, term }
    if (this.#context.canon.at(index) === null) this.#unsettled.push(report)
    else this.#checkReport(report)
  }

  #checkFinal(id: number, { node }: Call, { data, index }: EntryRecord): void {
    const configuration = this.#context.options.decodeConfiguration?.(data)
    if (configuration === undefined || configuration.oldPeers.length === 0) return
    throw new InvariantViolation(
      'INV-18',
      `Change ${id} on ${node} was reported done with entry ${index}, which is joint.`,
    )
  }

  /** A snapshot that is told as taken is on disk. */
  #checkSnapshot(id: number, call: OpenCall, { outcome, index }: Completion): void {
    if (outcome !== 'ok' || index === undefined || this.#context.member(call.node).waived) return
    const durable = this.#context.options.durable(call.node)?.snapshot
    if (durable === undefined || (durable?.index ?? 0) >= index) return
    throw new InvariantViolation(
      'INV-18',
      `Snapshot ${id} on ${call.node} was reported as taken up to ${index}, but ${durable?.index ?? 0} is durable.`,
    )
  }

  #checkRead(id: number, call: OpenCall, { index }: Completion): void {
    if (index === undefined || (call.byLease === true && !this.checksReads)) return
    if (index < call.floorIndex) {
      throw new InvariantViolation(
        'INV-16',
        `Read ${id} on ${call.node} saw the state after entry ${index}, but entry ${call.floorIndex} had been acknowledged or shown before it began.`,
      )
    }
    this.#shownIndex = Math.max(this.#shownIndex, index)
  }

  #complainRefused(id: number, index: LogIndex): never {
    throw new InvariantViolation(
      'INV-18',
      `Proposal ${id} was reported as certainly not done, but it is committed as entry ${index}.`,
    )
  }
}
