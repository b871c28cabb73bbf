// What lies behind the actor of a node: the node itself, who waits for it, and what is still to be told.

import type { ActorRef } from 'xstate'
import type { Host, RaftNode } from '../api.ts'
import { isQuorateError, QuorateError } from '../errors.ts'
import { sheltered, toError } from '../runtime/errors.ts'
import type {
  RaftCall,
  RaftNews,
  RaftNodeEvent,
  RaftNodeInput,
  RaftNodeSnapshot,
  RaftNodeView,
  RaftRefused,
} from './raft-node.events.ts'

type Self = ActorRef<RaftNodeSnapshot, RaftNodeEvent, RaftNews>

interface Taken {
  readonly news: readonly RaftNews[]
  readonly view: Partial<RaftNodeView>
  /** The actor's; null: it goes on. */
  readonly ending: { readonly error: Error | null } | null
}

/** Calls that wait until the node has started; more are refused. */
const MAX_EARLY_CALLS = 1000

/** Nodes on their way out, by host and group: the next one of the group begins when the last one has ended. */
const closings = new WeakMap<Host, Map<string, Promise<void>>>()

export class RaftSession {
  readonly #input: RaftNodeInput
  readonly #self: Self
  #node: RaftNode | null = null
  #starting: Promise<RaftNode | null> = Promise.resolve(null)
  #early: RaftCall[] = []
  #news: RaftNews[] = []
  #view: Partial<RaftNodeView> = {}
  #ending: Taken['ending'] = null
  #subscriptions: (() => void)[] = []
  #stopped = false

  constructor(input: RaftNodeInput, self: Self) {
    this.#input = input
    this.#self = self
  }

  start(): void {
    this.#starting = this.#begin()
  }

  /** Everything ends in order, also what has only begun to start. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    for (const unsubscribe of this.#subscriptions) unsubscribe()
    for (const call of this.#early.splice(0)) this.#refuse(call, closed(this.#input))
    const { host, group } = this.#input
    const ofHost = closings.get(host) ?? new Map<string, Promise<void>>()
    closings.set(host, ofHost)
    const closing = this.#close().finally(() => {
      if (ofHost.get(group) === closing) ofHost.delete(group)
    })
    ofHost.set(group, closing)
  }

  /** Takes a call; the answer comes exactly once. */
  ask(call: RaftCall): void {
    if (this.#node !== null) void this.#carryOut(this.#node, call)
    else if (this.#early.length < MAX_EARLY_CALLS) this.#early.push(call)
    else this.#refuse(call, notYet(this.#input))
  }

  /** What has happened since it was taken last. */
  take({ commitIndex, appliedIndex }: RaftNodeView): Taken {
    const view = {
      ...this.#view,
      commitIndex: Math.max(commitIndex, this.#view.commitIndex ?? 0),
      appliedIndex: Math.max(appliedIndex, this.#view.appliedIndex ?? 0),
    }
    const taken = { news: this.#news, view, ending: this.#ending }
    this.#news = []
    this.#view = {}
    return taken
  }

  tellParent(news: RaftNews | RaftRefused): void {
    const parent = this.#self._parent
    if (parent !== undefined && isActive(parent)) parent.send(news)
  }

  /** Never rejects: what fails, fails the actor. */
  async #begin(): Promise<RaftNode | null> {
    const { host, ...options } = this.#input
    try {
      await closings.get(host)?.get(options.group)
      if (this.#stopped) return null
      const node = await host.startNode(options)
      if (!this.#stopped) this.#started(node)
      return node
    } catch (error) {
      for (const call of this.#early.splice(0)) this.#refuse(call, asQuorateError(error))
      this.#ending = { error: toError(error) }
      this.#look()
      return null
    }
  }

  async #close(): Promise<void> {
    const node = await this.#starting
    await node?.close()
  }

  #started(node: RaftNode): void {
    this.#node = node
    const { role, leader, term } = node.status()
    this.#tell({ type: 'raft.ready', node })
    this.#tell({ type: 'raft.role', from: 'uninitialized', to: role, term, reason: 'START' })
    if (leader !== null) this.#tell({ type: 'raft.leader', leader, term })
    this.#subscriptions = [
      node.on('role', (change) => {
        if (change.to === 'shutdown') this.#ending = { error: null }
        this.#tell({ ...change, type: 'raft.role' })
      }),
      node.on('leader', (change) => this.#tell({ ...change, type: 'raft.leader' })),
      node.on('error', (error) => this.#tell({ type: 'raft.error', error })),
      node.on('membership', (info) => this.#tell({ ...info, type: 'raft.membership' })),
      node.on('snapshot', (info) => this.#tell({ ...info, type: 'raft.snapshot' })),
    ]
    for (const call of this.#early.splice(0)) void this.#carryOut(node, call)
  }

  #tell(news: RaftNews): void {
    if (this.#stopped || this.#node === null) return
    this.#news.push(news)
    const { role, term, leader, lastIndex, commitIndex, appliedIndex, error } = this.#node.status()
    this.#view = { role, term, leader, lastIndex, commitIndex, appliedIndex, failure: error }
    this.#look()
  }

  /** A stopped actor is told nothing. */
  #look(): void {
    if (isActive(this.#self)) this.#self.send({ type: 'raft.look' })
  }

  /** Never rejects. */
  async #carryOut(node: RaftNode, call: RaftCall): Promise<void> {
    try {
      const tell = await answerOf(node, call, (index) => this.#applied(index))
      sheltered(tell, (error) => this.#tell({ type: 'raft.error', error: toError(error) }))
    } catch (error) {
      this.#refuse(call, asQuorateError(error))
    }
  }

  #applied(index: number): void {
    this.#view = { ...this.#view, commitIndex: index, appliedIndex: index }
    this.#look()
  }

  #refuse({ id, reply }: RaftCall, error: QuorateError): void {
    const refused: RaftRefused = { type: 'raft.refused', id, error }
    sheltered(
      () => (reply === undefined ? this.tellParent(refused) : reply.send(refused)),
      (thrown) => this.#tell({ type: 'raft.error', error: toError(thrown) }),
    )
  }
}

/** Asks the node, and hands back how to tell of the answer. */
async function answerOf(
  node: RaftNode,
  call: RaftCall,
  applied: (index: number) => void,
): Promise<() => void> {
  const { id } = call
  switch (call.type) {
    case 'apply': {
      const { command, expectedTerm, reply } = call
      const done = await node.apply(command, expectedTerm === undefined ? {} : { expectedTerm })
      applied(done.index)
      return () => reply?.send({ ...done, type: 'raft.applied', id })
    }
    case 'read': {
      const { query, level, reply } = call
      const answer = await node.read(query, level === undefined ? {} : { level })
      return () => reply?.send({ type: 'raft.answered', id, answer })
    }
    case 'snapshot': {
      const snapshot = await node.snapshot()
      return () => call.reply?.send({ type: 'raft.saved', id, snapshot })
    }
    case 'transfer': {
      const moved = await node.transferLeadership(call.to)
      return () => call.reply?.send({ ...moved, type: 'raft.transferred', id })
    }
  }
}

function isActive(actor: { getSnapshot(): unknown }): boolean {
  const snapshot: unknown = actor.getSnapshot()
  return (
    typeof snapshot === 'object' && snapshot !== null && 'status' in snapshot && snapshot.status === 'active'
  )
}

function asQuorateError(error: unknown): QuorateError {
  if (isQuorateError(error)) return error
  const { message } = toError(error)
  return new QuorateError('INVALID', message, { cause: error })
}

function closed({ host, group }: RaftNodeInput): QuorateError {
  return new QuorateError('SHUTDOWN', `Member ${host.id} of ${group} was closed before it had started.`)
}

function notYet({ host, group }: RaftNodeInput): QuorateError {
  const message = `Member ${host.id} of ${group} is still starting, and ${MAX_EARLY_CALLS} calls wait for it: try again when raft.ready has come.`
  return new QuorateError('BUSY', message, { retryable: true })
}
