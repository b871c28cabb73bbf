// The built-in machine on the side: fed with what is committed, it says how every member's state must look.

import { EntryType, type LogIndex } from '../rules/types.ts'
import type { StateMachine } from '../state-machine.ts'
import { decodeValue } from '../transport/wire/codec.ts'
import { commandOf } from '../transport/wire/envelope.ts'
import { fromCommand } from './history/kv-commands.ts'
import { KvModel } from './history/kv-model.ts'
import type { EntryRecord } from './invariants/invariants.ts'
import { isNumbered } from './observed-machine.ts'

export class ReferenceMachine {
  readonly #machine: StateMachine
  readonly #hashes: (string | null)[] = [null]
  /** What each key held after each entry. */
  readonly #model = new KvModel()

  constructor(machine: StateMachine) {
    this.#machine = machine
  }

  /** @param carriesOut false: its session has sent it before, or is forgotten */
  apply({ index, term, type, data }: EntryRecord, carriesOut: boolean): void {
    if (type === EntryType.DATA && carriesOut) {
      const decoded = decodeValue(commandOf(data))
      const value = decoded.ok ? decoded.value : null
      const command = isNumbered(value) ? value.command : value
      void this.#machine.apply(command, { index, term })
      const modeled = fromCommand(command)
      if (modeled !== null) this.#model.apply(index, modeled)
    }
    this.#hashes[index] = this.#machine.stateHash?.() ?? null
  }

  /** What everything committed up to `index` makes of `key`. */
  valueAt(key: string, index: LogIndex): string | null {
    return this.#model.valueAt(key, index)
  }

  /** Null where nothing is known to be committed. */
  hashAt(index: LogIndex): string | null {
    return this.#hashes[index] ?? null
  }
}
