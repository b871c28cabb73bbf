// What two processes say of their ledgers (rules/wake-ledger.ts), out of the message that carries it.

import type { LedgerNews } from '../../rules/wake-ledger.ts'
import type { BeatsRequest } from '../wire/messages/beats.ts'

type LedgerItems = Pick<BeatsRequest, 'incarnation' | 'number' | 'version' | 'woken' | 'allBefore'>

export function newsOf({ incarnation, number, version, woken, allBefore }: LedgerItems): LedgerNews {
  return {
    ...{ incarnation, number, version, allBefore },
    woken: woken.map(([group, at = 0]) => ({ group, version: at })),
  }
}
