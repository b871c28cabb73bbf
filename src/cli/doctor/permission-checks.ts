// Whether the bus lets the doctor's user say and hear what clients need: what was refused while it asked is remembered,
// and what it does not ask itself is tried where nobody listens.

import type { LogFields, Logger } from '../../runtime/logger.ts'
import { clientSubject } from '../../transport/subjects.ts'
import type { Transport } from '../../transport/transport.ts'
import { spokenWarnings } from '../bus.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

const CHECK = 'permissions'
const MOST_NAMED = 5

interface Scope {
  readonly prefix: string
  readonly group: string
  /** Of the user, and so of its inbox. */
  readonly as: string
}

/** To be the logger of the connection: keeps what the server refuses, and says everything else. */
export class RefusalsHeard {
  readonly #refused = new Set<string>()
  readonly logger: Logger = {
    ...spokenWarnings,
    warn: (fields, message) => this.#take(fields, message),
  }

  #take(fields: LogFields, message: string): void {
    const { operation, subject } = fields
    if (typeof operation === 'string' && typeof subject === 'string')
      this.#refused.add(`${operation} of ${subject}`)
    else spokenWarnings.warn(fields, message)
  }

  get refused(): readonly string[] {
    return [...this.#refused]
  }
}

const watched = ({ prefix, group }: Scope): string => `${prefix}.${group}.events.*.inspect`

/** To be called first: the server judges in order, so whatever is answered later says that this has been judged. */
export function tryPermissions(transport: Transport, scope: Scope): void {
  transport.subscribe(watched(scope), () => {}).unsubscribe()
  // A member of the doctor's name would only count it: there is nowhere to answer to.
  transport.publish(clientSubject(scope.prefix, scope.group, 'doctor', 'propose'), new Uint8Array(0))
}

export function checkPermissions(refused: readonly string[], scope: Scope): Finding {
  if (refused.length === 0) return fine(CHECK, `Nothing that ${scope.as} asked was refused by the bus.`)
  const named = refused.slice(0, MOST_NAMED).join(', ')
  const more = refused.length > MOST_NAMED ? ` and ${refused.length - MOST_NAMED} more` : ''
  const says = `The bus refuses ${scope.as} the ${named}${more}: --as has to be the name of its user, and the user needs what quorate permissions --clients ${scope.as} prints.`
  const isForWatchersOnly = refused.every((each) => each.endsWith(` of ${watched(scope)}`))
  return isForWatchersOnly
    ? warning(CHECK, `${says} Nothing but quorate watch and events needs it.`)
    : problem(CHECK, says)
}
