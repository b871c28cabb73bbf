// What a member knows of its own membership, whether it leads or not, and who waits for a change of it.

import { type Membership as MembershipKind, membershipOf, roleOf } from '../../rules/change.ts'
import { isRemovedBy } from '../../rules/removal.ts'
import {
  type Configuration,
  type ConfigurationEntry,
  type LogId,
  NOTHING,
  type PeerId,
} from '../../rules/types.ts'
import type { ChangeOutcome } from './change-world.ts'
import { Reset } from './reset.ts'

export class Membership {
  /** Callers that wait for a change. */
  readonly asked = new Set<(outcome: ChangeOutcome) => void>()
  readonly reset = new Reset()
  /** This member must not get more commands (braft enter_readonly_mode). In memory only, as there. */
  isReadonly = false
  /** It is to hold data, and its files are those of a witness. */
  isMisplaced = false
  #wasMember = false
  /** By which configuration others have said that this member is none. */
  #told = NOTHING

  /** A configuration that is, or was, in force. Returns whether this member has just learned that it was removed. */
  sees(configuration: Configuration, self: PeerId): boolean {
    const isMember = roleOf(configuration, self) !== null
    const isRemoved = this.#wasMember && !isMember
    this.#wasMember ||= isMember
    return isRemoved
  }

  /** Others say that this member was removed, by the configuration that stands there. */
  toldOf(removal: LogId): void {
    this.#told = removal
    this.#wasMember = true
  }

  /** It has been told so, and knows of no later configuration. */
  isToldRemoved({ id }: ConfigurationEntry): boolean {
    return this.reset.forced === null && isRemovedBy(this.#told, id)
  }

  in(configuration: ConfigurationEntry, self: PeerId): MembershipKind {
    if (this.isToldRemoved(configuration)) return 'removed'
    return membershipOf(configuration, self, this.#wasMember)
  }
}
