// What witnesses must not do, and what must not rest on them alone: INV-26.

import { isWitness } from '../../rules/quorum.ts'
import { EntryType, type LogIndex, type PeerId } from '../../rules/types.ts'
import type { WriteOp } from '../disk/disk-image.ts'
import { type CheckerContext, isActive, type MemberState } from './context.ts'
import type { NodeObservation } from './observation.ts'
import { InvariantViolation } from './violation.ts'

export class WitnessRules {
  readonly #context: CheckerContext

  constructor(context: CheckerContext) {
    this.#context = context
  }

  check(member: MemberState, view: NodeObservation): void {
    const { id, role, term, configuration } = view
    if (!isActive(role) || role === 'follower') return
    if (isWitness(configuration, id)) complain(`${id} is a witness, and ${role} of term ${term}.`)
    if (view.lacksPayload === true) complain(`${id} is ${role} of term ${term} and lacks payload of its log.`)
    if (role === 'leader' && view.commitIndex > member.commitIndex) this.#checkHeld(view)
  }

  /** Payload is no business of a witness. */
  checkDurableWrite({ id, view }: MemberState, op: WriteOp): void {
    if (op.kind !== 'append' || view?.alive !== true || !isWitness(view.configuration, id)) return
    const data = op.entries.find(({ type }) => type === EntryType.DATA)
    if (data !== undefined) complain(`${id} is a witness, and keeps the payload of entry ${data.index}.`)
  }

  /** What a leader takes for committed somebody has whole, who may be about to leave. */
  #checkHeld({ id, commitIndex, configuration }: NodeObservation): void {
    if ((configuration.witnesses ?? []).length === 0) return
    if (this.#context.canon.at(commitIndex)?.type !== EntryType.DATA) return
    if ([...this.#context.members()].some((member) => this.#holds(member.id, commitIndex))) return
    complain(`${id} committed entry ${commitIndex}, whose payload is durable nowhere.`)
  }

  #holds(peer: PeerId, index: LogIndex): boolean {
    if (this.#context.member(peer).waived) return true
    const durable = this.#context.options.durable(peer)
    if (durable === null || durable.lastIndex < index) return (durable?.snapshot?.index ?? 0) >= index
    return index < durable.firstIndex || durable.entryAt(index)?.type === EntryType.DATA
  }
}

function complain(sentence: string): never {
  throw new InvariantViolation('INV-26', sentence)
}
