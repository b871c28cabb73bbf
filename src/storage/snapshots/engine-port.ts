// Carries calls to an engine in the same thread, when its owner says so.

import type { SnapshotDone, SnapshotResult } from '../snapshot-store.ts'
import type { AnswerOf, CallOf, SnapshotCallKind, SnapshotPort } from './calls.ts'
import type { SnapshotEngine } from './snapshot-engine.ts'

/** Runs `step` and then, perhaps later, `end`; one pair after the other, in the order of asking. */
export type CarryOut = (step: () => void, end: () => void, kind: SnapshotCallKind | null) => void

export class EnginePort implements SnapshotPort {
  readonly #engine: () => SnapshotEngine
  readonly #carryOut: CarryOut

  /** `engine` is called when the first step runs. */
  constructor(engine: () => SnapshotEngine, carryOut: CarryOut) {
    this.#engine = engine
    this.#carryOut = carryOut
  }

  ask<Kind extends SnapshotCallKind>(
    kind: Kind,
    call: CallOf<Kind>,
    done: SnapshotDone<AnswerOf<Kind>>,
  ): void {
    let result: SnapshotResult<AnswerOf<Kind>> | null = null
    const step = (): void => {
      const engine = this.#engine()
      result = engine.answer<Kind>({ kind, call })
      keepHouse(engine)
    }
    this.#carryOut(step, () => result !== null && done(result), kind)
  }

  settle(run: () => void): void {
    this.#carryOut(() => {}, run, null)
  }
}

/** Nobody has asked for it: what goes down with it is told by the engine. */
function keepHouse(engine: SnapshotEngine): void {
  try {
    while (engine.keepHouse());
  } catch {
    // What is left is removed another time.
  }
}
