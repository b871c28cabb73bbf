// How a member behaves towards its user, and after a failure: INV-22, INV-23, INV-24 (at shutdown).

import type { PeerId, Term } from '../../rules/types.ts'
import type { MessageKind } from '../bus/message-kind.ts'
import { type CheckerContext, isActive, type MemberState } from './context.ts'
import type { Hook, NodeObservation, SentMessage } from './observation.ts'
import { InvariantViolation } from './violation.ts'

/** What no member says once its disk has failed (it may ask another to take over). Answers only when positive. */
const RELIES_ON_DISK: ReadonlySet<MessageKind> = new Set<MessageKind>([
  'vote',
  'append',
  'heartbeat',
  'voteAck',
  'appendAck',
  'heartbeatAck',
  'readIndexAck',
])

interface HookState {
  leading: Term | null
  /** Its start hook came in the step that is going on: looked at when the step is over. */
  startedNow: Term | null
  lastLeaderTerm: Term
  following: { readonly leader: PeerId; readonly term: Term } | null
  errors: number
  shutdown: boolean
}

export class BehaviorRules {
  readonly #context: CheckerContext
  readonly #hooks = new Map<PeerId, HookState>()

  constructor(context: CheckerContext) {
    this.#context = context
  }

  startLife(member: MemberState): void {
    this.#hooks.delete(member.id)
  }

  checkSent(message: SentMessage): void {
    const member = this.#context.member(message.from)
    if (!member.storageFailed || !RELIES_ON_DISK.has(message.kind)) return
    if (message.kind.endsWith('Ack') && message.granted !== true && message.success !== true) return
    throw new InvariantViolation(
      'INV-22',
      `${message.from} sent ${message.kind} of term ${message.term ?? '?'} to ${message.to} after its storage had failed.`,
    )
  }

  check(member: MemberState, view: NodeObservation): void {
    if (member.storageFailed && isActive(view.role)) {
      throw new InvariantViolation(
        'INV-22',
        `The storage of ${view.id} failed, and it is still ${view.role}.`,
      )
    }
  }

  hook(member: MemberState, hook: Hook): void {
    const state = this.#stateOf(member.id)
    const { id } = member
    const complain = (sentence: string): never => {
      throw new InvariantViolation('INV-23', sentence, { hook })
    }
    if (state.shutdown) complain(`${id} called the ${hook.name} hook after its shutdown.`)
    switch (hook.name) {
      case 'leaderStart':
        if (state.leading !== null) {
          complain(
            `${id} started to lead term ${hook.term} without having stopped to lead term ${state.leading}.`,
          )
        }
        // The same term once more: a transfer that came to nothing (trap T81).
        if (hook.term < state.lastLeaderTerm) {
          complain(`${id} started to lead term ${hook.term} after term ${state.lastLeaderTerm}.`)
        }
        state.leading = hook.term
        state.startedNow = hook.term
        state.lastLeaderTerm = hook.term
        return
      case 'leaderStop':
        // Also called for a leadership that ended before the start hook came, so it needs no start before it.
        state.leading = null
        return
      case 'startFollowing':
        if (state.following !== null) {
          complain(
            `${id} started to follow ${hook.leader} without having stopped to follow ${state.following.leader}.`,
          )
        }
        state.following = { leader: hook.leader, term: hook.term }
        return
      case 'stopFollowing':
        if (state.following === null || state.following.leader !== hook.leader) {
          complain(`${id} stopped to follow ${hook.leader}, whom it did not follow.`)
        }
        state.following = null
        return
      case 'configuration':
        return this.#checkConfiguration(id, hook)
      case 'error':
        state.errors++
        if (state.errors > 1) complain(`${id} called the error hook ${state.errors} times.`)
        return
      case 'shutdown':
        state.shutdown = true
    }
  }

  /** INV-13 (g): users hear of final configurations only, once they are committed. */
  #checkConfiguration(id: PeerId, hook: Extract<Hook, { name: 'configuration' }>): void {
    const { configuration, index } = hook
    if (configuration.oldPeers.length === 0) return
    throw new InvariantViolation(
      'INV-13',
      `${id} told its user of the configuration of entry ${index}, which is joint: only final ones are news.`,
    )
  }

  /** After shutdown nothing is left behind. */
  checkReleased(id: PeerId, left: Readonly<Record<string, number>>): void {
    for (const [what, count] of Object.entries(left)) {
      if (count === 0) continue
      throw new InvariantViolation('INV-24', `${id} is shut down and still has ${count} ${what}.`, left)
    }
  }

  /** A leader starts only when everything of earlier terms is applied. */
  checkStarted(member: MemberState, view: NodeObservation): void {
    const state = this.#hooks.get(member.id)
    const term = state?.startedNow ?? null
    if (state === undefined || term === null) return
    state.startedNow = null
    const { log } = member
    let index = log.lastIndex
    while (index >= log.firstIndex && (log.at(index)?.term ?? 0) >= term) index--
    const { appliedIndex } = view
    if (index < log.firstIndex || appliedIndex >= index) return
    throw new InvariantViolation(
      'INV-23',
      `${member.id} started to lead term ${term} having applied up to ${appliedIndex}; entry ${index} is of an earlier term.`,
    )
  }

  #stateOf(id: PeerId): HookState {
    let state = this.#hooks.get(id)
    if (state === undefined) {
      state = {
        leading: null,
        startedNow: null,
        lastLeaderTerm: 0,
        following: null,
        errors: 0,
        shutdown: false,
      }
      this.#hooks.set(id, state)
    }
    return state
  }
}
