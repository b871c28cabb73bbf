// Compares the states of a user's machines after every entry: finds the first entry whose effect differs (INV-7).

import type { LogIndex, PeerId } from '../../rules/types.ts'
import type { AppliedPosition } from '../../state-machine.ts'
import { InvariantViolation } from '../invariants/invariants.ts'

export class StateDigests {
  /** By index: which members came to which state. */
  readonly #seen = new Map<LogIndex, Map<string, string[]>>()

  /** @throws InvariantViolation INV-7 naming the index, the members, and the state of each. */
  compare(id: PeerId, life: number, { index, term }: AppliedPosition, hash: string): void {
    const groups = this.#seen.get(index) ?? new Map<string, string[]>()
    this.#seen.set(index, groups)
    const name = life === 1 ? id : `${id} (start ${life})`
    const same = groups.get(hash)
    if (same === undefined) groups.set(hash, [name])
    else if (!same.includes(name)) same.push(name)
    if (groups.size === 1) return
    const states = [...groups].map(([state, names]) => `${names.join(', ')}: ${state}`).join('; ')
    throw new InvariantViolation(
      'INV-7',
      `The state machine is not deterministic: after entry ${index} of term ${term} its state differs between members (${states}). All entries before left equal states.`,
      { index, states: Object.fromEntries(groups) },
    )
  }
}
