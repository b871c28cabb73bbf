// The state machines of scenario scripts: the built-in one, with one thing about it that user code may do to a member.

import { KeyValueStore } from '../../src/machines/kv.ts'
import type { StateMachine } from '../../src/state-machine.ts'

/** A machine that refuses the value `poison`, as user code with a bug does. */
class PoisonedMachine extends KeyValueStore {
  override apply(command: unknown) {
    if (Array.isArray(command) && command.includes('poison')) throw new Error('poison')
    return super.apply(command)
  }
}

/** It saves, and does not know its own snapshots again. */
class UnloadableMachine extends KeyValueStore {
  override onSnapshotLoad(): Promise<void> {
    return Promise.reject(new Error('these are no pairs'))
  }
}

/** It knows nothing of snapshots. */
function withoutSnapshots(): StateMachine {
  const inner = new KeyValueStore()
  return {
    apply: (command) => inner.apply(command),
    read: (query) => inner.read(query),
    stateHash: () => inner.stateHash(),
  }
}

/** By the name that a script gives; null: the built-in one. */
export function machineNamed(name: string | undefined): (() => StateMachine) | null {
  switch (name) {
    case undefined:
      return null
    case 'poisoned':
      return () => new PoisonedMachine()
    case 'unloadable':
      return () => new UnloadableMachine()
    case 'withoutSnapshots':
      return withoutSnapshots
    default:
      throw new Error(`There is no machine ${name}.`)
  }
}
