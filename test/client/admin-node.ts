// A member without consensus whose group can be changed: what is asked of it is done at once, unless a test holds it.

import type { ConfigurationInfo, MemberSpec, RaftNode } from '../../src/api.ts'
import { QuorateError } from '../../src/errors.ts'
import type { NodeStatus } from '../../src/status.ts'
import { FakeNode } from './fake-node.ts'

interface Held {
  resolve(): void
  reject(error: Error): void
}

export class AdminNode extends FakeNode {
  readonly calls: unknown[][] = []
  learners: readonly string[] = []
  priorities: Readonly<Record<string, number>> = {}
  appliedIndex: number | null = null
  change: NodeStatus['change'] = null
  /** Takes the place of what the next calls do. */
  fail: (() => unknown) | null = null
  #held: Promise<void> | null = null

  /** The next change waits until it is told to go on; whoever asks for another one meanwhile is told BUSY. */
  hold(): Held {
    let held: Held = { resolve() {}, reject() {} }
    this.#held = new Promise<void>((resolve, reject) => {
      held = { resolve, reject }
    })
    return held
  }

  #busy = false
  #index = 1

  async #change(call: unknown[], change: () => void): Promise<ConfigurationInfo> {
    this.calls.push(call)
    if (this.fail !== null) await this.fail()
    const { role, leader } = this.status()
    if (role !== 'leader') throw new QuorateError('NOT_LEADER', 'It does not lead.', { leader })
    if (this.#busy) throw new QuorateError('BUSY', 'A change is running.', { retryable: true })
    if (this.#held !== null) {
      this.#busy = true
      await this.#held.finally(() => {
        this.#busy = false
        this.#held = null
      })
    }
    change()
    this.#index += 1
    return this.members()
  }

  override addPeer: RaftNode['addPeer'] = (spec, options) =>
    this.#change(['addPeer', spec, options], () => this.#put(spec))

  override removePeer: RaftNode['removePeer'] = (id, options) =>
    this.#change(['removePeer', id, options], () => this.#remove(id))

  override changePeers: RaftNode['changePeers'] = (target, options) =>
    this.#change(['changePeers', target, options], () => {
      this.peers = []
      this.learners = []
      for (const spec of target) this.#put(spec)
    })

  override promote: RaftNode['promote'] = (id) =>
    this.#change(['promote', id], () => this.#put({ id, role: 'voter' }))

  override demote: RaftNode['demote'] = (id) =>
    this.#change(['demote', id], () => this.#put({ id, role: 'learner' }))

  override setPriority: RaftNode['setPriority'] = (id, priority) =>
    this.#change(['setPriority', id, priority], () => {
      this.priorities = { ...this.priorities, [id]: priority }
    })

  override resetPeers: RaftNode['resetPeers'] = (peers, options) =>
    this.#change(['resetPeers', peers, options], () => {
      this.peers = peers
    })

  override setReadonly(on: boolean): void {
    this.calls.push(['setReadonly', on])
  }

  override transferLeadership: RaftNode['transferLeadership'] = async (to) => {
    this.calls.push(['transferLeadership', to])
    return { leader: to ?? 'n2', term: this.status().term + 1 }
  }

  override members(): ConfigurationInfo {
    return { ...super.members(), index: this.#index, stage: this.#busy ? 'catchingUp' : 'none' }
  }

  override status(): NodeStatus {
    const status = super.status()
    const { learners, priorities, change } = this
    return { ...status, learners, priorities, change, appliedIndex: this.appliedIndex ?? status.appliedIndex }
  }

  #remove(id: string): void {
    this.peers = this.peers.filter((peer) => peer !== id)
    this.learners = this.learners.filter((learner) => learner !== id)
  }

  #put(spec: MemberSpec): void {
    const { id, role = 'voter', priority } = typeof spec === 'string' ? { id: spec } : spec
    this.#remove(id)
    if (role === 'learner') this.learners = [...this.learners, id]
    else this.peers = [...this.peers, id]
    if (priority !== undefined) this.priorities = { ...this.priorities, [id]: priority }
  }
}
