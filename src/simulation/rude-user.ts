// User code that throws wherever it is only told something: in hooks, listeners, inspectors and completions. Nobody else
// may miss anything by that.

import type { NodeEvents } from '../api.ts'
import type { NodeHandle } from '../host/node-handle.ts'
import { asksForTime, type StateMachine } from '../state-machine.ts'
import { snapshotMethods } from './observed-machine.ts'

export function beRude(): never {
  throw new Error('User code throws here, for no reason.')
}

/** The same completion, which throws when it has been heard. */
export function rudely<T>(done: (outcome: T) => void): (outcome: T) => void {
  return (outcome) => {
    done(outcome)
    beRude()
  }
}

const EVENTS: readonly (keyof NodeEvents)[] = ['role', 'leader', 'error']

export function listenRudely(node: NodeHandle): void {
  for (const event of EVENTS) node.on(event, beRude)
}

/** The same machine, whose hooks throw when they have done their work. */
export function withRudeHooks(machine: StateMachine): StateMachine {
  return {
    apply: (command, at) => machine.apply(command, at),
    read: (query) => machine.read?.(query),
    ...snapshotMethods(machine),
    wantsTime: (encoded) => asksForTime(machine, encoded),
    onStart(port) {
      machine.onStart?.(port)
      beRude()
    },
    ...(machine.stateHash === undefined ? {} : { stateHash: () => machine.stateHash?.() ?? '' }),
    onConfigurationCommitted(configuration, index) {
      machine.onConfigurationCommitted?.(configuration, index)
      beRude()
    },
    onLeaderStart(term) {
      machine.onLeaderStart?.(term)
      beRude()
    },
    onLeaderStop(reason) {
      machine.onLeaderStop?.(reason)
      beRude()
    },
    onStartFollowing(change) {
      machine.onStartFollowing?.(change)
      beRude()
    },
    onStopFollowing(change) {
      machine.onStopFollowing?.(change)
      beRude()
    },
    onError(error) {
      machine.onError?.(error)
      beRude()
    },
    onShutdown() {
      machine.onShutdown?.()
      beRude()
    },
  }
}
