// What a member knows of its own membership, whether it leads or not, and who waits for a change of it.

import { type Membership as MembershipKind, membershipOf, roleOf } from '../../rules/change.ts'
import type { Configuration, PeerId } from '../../rules/types.ts'
import type { ChangeOutcome } from './change-world.ts'
import { Reset } from './reset.ts'

export class Membership {
  /** Callers that wait for a change. */
  readonly asked = new Set<(outcome: ChangeOutcome) => void>()
  readonly reset = new Reset()
  /** This member must not get more commands (braft enter_readonly_mode). In memory only, as there. */
  isReadonly = false
  #wasMember = false

  /** A configuration that is, or was, in force. Returns whether this member has just learned that it was removed. */
  sees(configuration: Configuration, self: PeerId): boolean {
    const isMember = roleOf(configuration, self) !== null
    const isRemoved = this.#wasMember && !isMember
    this.#wasMember ||= isMember
    return isRemoved
  }

  in(configuration: Configuration, self: PeerId): MembershipKind {
    return membershipOf(configuration, self, this.#wasMember)
  }
}
