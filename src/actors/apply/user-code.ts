// The only place that knows user code: calls it, catches what it throws, and turns its promises into one call back. What
// it is handed is a copy, or made for it: nothing that a state machine keeps or overwrites is ours.

import { QuorateError } from '../../errors.ts'
import type { LogEntry } from '../../rules/types.ts'
import { isThenable, messageOf } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { StateMachine } from '../../state-machine.ts'
import { decodeValue } from '../../transport/wire/codec.ts'
import { type Envelope, isEnvelope, openEnvelope } from '../../transport/wire/envelope.ts'

/** What a call has come to. */
export type Returned =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown }

export const FAILED: Returned = {
  ok: false,
  error: new QuorateError('NODE_FAILED', 'The node is in its error state.'),
}

type Later = (returned: Returned) => void
type LateEntry = (entry: LogEntry, returned: Returned) => void

export class UserCode {
  readonly #group: string
  readonly #machine: StateMachine
  readonly #logger: Logger

  constructor(group: string, machine: StateMachine, logger: Logger) {
    this.#group = group
    this.#machine = machine
    this.#logger = logger
  }

  get canRead(): boolean {
    return this.#machine.read !== undefined
  }

  /** Carries out one command. Null: it will come back through `later`, once. No closures here: commands are many. */
  apply(entry: LogEntry, later: LateEntry): Returned | null {
    const { index, term, data } = entry
    const envelope = isEnvelope(data) ? openEnvelope(data) : null
    const command = decodeValue(envelope?.command ?? data)
    if (!command.ok)
      return { ok: false, error: new Error(`the command is not valid CBOR (${command.reason})`) }
    const at = envelope === null ? { index, term } : { index, term, ...marksOf(envelope) }
    try {
      const value = this.#machine.apply(command.value, at)
      return isThenable(value) ? whenSettled(value, (late) => later(entry, late)) : { ok: true, value }
    } catch (error) {
      return { ok: false, error }
    }
  }

  /** Asks a query. Null: the answer comes through `later`, once. */
  read(query: unknown, later: Later): Returned | null {
    return this.call(() => this.#machine.read?.(query), later)
  }

  /** Any call that may throw, or return a promise. A thenable that calls back twice is heard once. */
  call(run: () => unknown, later: Later): Returned | null {
    try {
      const value = run()
      return isThenable(value) ? whenSettled(value, later) : { ok: true, value }
    } catch (error) {
      return { ok: false, error }
    }
  }

  /** Tells the user something. What a hook throws, now or as a promise, is logged and changes nothing. */
  hook(name: string, run: (machine: StateMachine) => void): void {
    const threw = (error: unknown): void =>
      this.#logger.error(
        { group: this.#group, hook: name, error: messageOf(error) },
        'A hook of the state machine threw.',
      )
    const returned = this.call(
      () => run(this.#machine),
      (late) => {
        if (!late.ok) threw(late.error)
      },
    )
    if (returned?.ok === false) threw(returned.error)
  }
}

function marksOf({ timeMs, trace, session }: Envelope): object {
  return { timeMs, ...(trace && { traceContext: trace }), ...(session && { session }) }
}

/** Null: `later` is called when it is settled. When asking for that throws, nothing that was started counts any more. */
function whenSettled(value: PromiseLike<unknown>, later: Later): Returned | null {
  let open = true
  const once = (returned: Returned): void => {
    if (!open) return
    open = false
    later(returned)
  }
  try {
    value.then(
      (settled) => once({ ok: true, value: settled }),
      (error: unknown) => once({ ok: false, error }),
    )
    return null
  } catch (error) {
    open = false
    return { ok: false, error }
  }
}
