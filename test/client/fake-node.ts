// A member without consensus: answers as a test tells it to.

import { type AnyActorRef, createEmptyActor } from 'xstate'
import type {
  Applied,
  ConfigurationInfo,
  LeadershipInfo,
  NodeEvents,
  RaftNode,
  ReadOptions,
  SnapshotInfo,
} from '../../src/api.ts'
import { QuorateError } from '../../src/errors.ts'
import type { NodeStatus, Role } from '../../src/status.ts'

export class FakeNode implements RaftNode {
  readonly group: string
  readonly id: string
  readonly actor: AnyActorRef = createEmptyActor()
  readonly applied: unknown[] = []
  readonly reads: { query: unknown; level: string | undefined }[] = []
  peers: readonly string[]
  oldPeers: readonly string[] = []
  onApply: (command: unknown, index: number) => unknown = () => null
  onRead: (query: unknown) => unknown = (query) => query
  #role: Role = 'follower'
  #term = 1
  #leader: string | null = null
  readonly #handlers = new Map<string, Set<(payload: never) => void>>()

  constructor(id: string, options: { group?: string; peers?: readonly string[] } = {}) {
    this.id = id
    this.group = options.group ?? 'demo'
    this.peers = options.peers ?? [id]
  }

  lead(term = this.#term): this {
    this.#term = term
    this.become('leader')
    return this
  }

  /** Handlers in force. */
  get listeners(): number {
    return [...this.#handlers.values()].reduce((sum, handlers) => sum + handlers.size, 0)
  }

  tellLeader(leader: string | null, term: number): void {
    for (const handler of this.#handlers.get('leader') ?? []) handler({ leader, term } as never)
  }

  follow(leader: string | null = null, term = this.#term): void {
    this.#term = term
    this.#leader = leader
    this.become('follower')
    this.tellLeader(leader, term)
  }

  async apply<Result = unknown>(command: unknown): Promise<Applied<Result>> {
    this.applied.push(command)
    const index = this.applied.length
    const result = await this.onApply(command, index)
    return { index, term: this.#term, result: result as Result }
  }

  async read<Answer = unknown>(query: unknown, options?: ReadOptions): Promise<Answer> {
    this.reads.push({ query, level: options?.level })
    return (await this.onRead(query)) as Answer
  }

  async readCommittedUserLog(): Promise<never> {
    throw new QuorateError('NO_MORE_LOG', 'A fake keeps no log.')
  }

  async snapshot(): Promise<SnapshotInfo> {
    throw new QuorateError('UNSUPPORTED', 'A fake has nothing to save.')
  }

  changePeers: RaftNode['changePeers'] = noChange
  addPeer: RaftNode['addPeer'] = noChange
  removePeer: RaftNode['removePeer'] = noChange
  promote: RaftNode['promote'] = noChange
  demote: RaftNode['demote'] = noChange
  setPriority: RaftNode['setPriority'] = noChange
  resetPeers: RaftNode['resetPeers'] = noChange

  members(): ConfigurationInfo {
    const { peers, oldPeers, learners, witnesses, priorities, leader } = this.status()
    return { peers, oldPeers, learners, witnesses, priorities, index: 0, stage: 'none', leader }
  }

  async transferLeadership(): Promise<LeadershipInfo> {
    throw new QuorateError('UNSUPPORTED', 'A fake has nobody to hand over to.')
  }

  async vote(): Promise<void> {}

  resetElectionTimeout(): void {}
  setReadonly(_on: boolean): void {}

  status(): NodeStatus {
    const last = this.applied.length
    return {
      ...{
        group: this.group,
        identity: 0,
        id: this.id,
        role: this.#role,
        state: `active.${this.#role}`,
        term: this.#term,
      },
      ...{
        votedFor: null,
        leader: this.#role === 'leader' ? this.id : this.#leader,
        peers: this.peers,
        oldPeers: this.oldPeers,
        ...{ learners: [], witnesses: [], priorities: {}, membership: 'voter', change: null },
        ...{ resetPending: false, readonly: false, refusesCommands: false, withheldIndex: 0 },
      },
      ...{ firstIndex: 1, lastIndex: last, lastTerm: this.#term, durableIndex: last, commitIndex: last },
      ...{ appliedIndex: last, pendingProposals: 0, leaseValid: false, stateHash: null, replicators: [] },
      ...{ undurableBytes: 0, pendingBytes: 0, disk: null, error: null },
      ...{ leaderContactMs: null, settings: null, wallClockMs: null, carries: [] },
      snapshot: {
        ...{ newest: null, state: 'idle', doneBytes: 0, totalBytes: 0 },
        ...{ saves: 0, failures: 0, lastDurationMs: null, lastError: null },
      },
    }
  }

  on<E extends keyof NodeEvents>(event: E, handler: (payload: NodeEvents[E]) => void): () => void {
    const handlers = this.#handlers.get(event) ?? new Set()
    this.#handlers.set(event, handlers.add(handler))
    return () => void handlers.delete(handler)
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  become(to: Role): void {
    const change = { from: this.#role, to, term: this.#term, reason: 'TEST' }
    this.#role = to
    for (const handler of this.#handlers.get('role') ?? []) handler(change as never)
  }
}

async function noChange(): Promise<ConfigurationInfo> {
  throw new QuorateError('UNSUPPORTED', 'A fake has no members to change.')
}
