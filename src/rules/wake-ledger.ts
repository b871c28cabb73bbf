// Which of the groups that sleep on this host's word have woken? Two hosts tell each other, with the messages that they
// exchange anyway, until the other has seen it: messages are lost, repeated and overtaken.

/** A group woke: at that version of the ledger, which grows by one with every group. */
export interface Woken {
  readonly group: string
  readonly version: number
}

export interface WakeLedger {
  readonly version: number
  /** What the other host has not confirmed to have seen, oldest first. */
  readonly woken: readonly Woken[]
  /** Whatever fell asleep before this version has woken: there were too many to name. 0: nothing. */
  readonly allBefore: number
}

export const NO_WAKES: WakeLedger = { version: 0, woken: [], allBefore: 0 }

/** Most groups that are named: beyond that all wake. */
export const MOST_NAMED = 256

export function woke(ledger: WakeLedger, group: string): WakeLedger {
  const version = ledger.version + 1
  return named({ ...ledger, version, woken: [...ledger.woken, { group, version }] }, MOST_NAMED)
}

/** The same with at most so many names. */
export function named(ledger: WakeLedger, most: number): WakeLedger {
  const { version, woken } = ledger
  return woken.length <= most ? ledger : { version, woken: [], allBefore: version }
}

/** The other host has seen everything up to this version. */
export function seenUpTo(ledger: WakeLedger, version: number): WakeLedger {
  const { woken, allBefore } = ledger
  const isNews = woken.some((one) => one.version <= version) || (allBefore > 0 && allBefore <= version)
  if (!isNews) return ledger
  const left = woken.filter((one) => one.version > version)
  return { version: ledger.version, woken: left, allBefore: allBefore > version ? allBefore : 0 }
}

/** What a host says of its ledger. */
export interface LedgerNews extends WakeLedger {
  /** Which life of that host this is. */
  readonly incarnation: number
  /** Of the message, growing by one in each life: what is repeated or overtaken is news no more. */
  readonly number: number
}

/** What is known of the ledger of the other host. */
export interface LedgerView {
  readonly incarnation: number
  readonly number: number
  /** Its version. */
  readonly seen: number
}

export const NOTHING_SEEN: LedgerView = { incarnation: 0, number: 0, seen: 0 }

/** Read before, or overtaken by what was. */
export function isOld(view: LedgerView, news: LedgerNews): boolean {
  return news.incarnation === view.incarnation && news.number <= view.number
}

export function afterNews({ incarnation, number, version }: LedgerNews): LedgerView {
  return { incarnation, number, seen: version }
}

/** What was agreed upon with that life of the other host, when its ledger had this version. */
export interface Agreement {
  readonly incarnation: number
  readonly version: number
}

/** The newest wake of each group that is named. */
export function wakesIn(news: LedgerNews): ReadonlyMap<string, number> {
  return new Map(news.woken.map(({ group, version }) => [group, version]))
}

/** Is the sleep that was agreed upon over by this news? In another life of that host nobody knows of it. */
export function isOver(agreed: Agreement, news: LedgerNews, wokenAt: number | undefined): boolean {
  const isNamed = wokenAt !== undefined && wokenAt > agreed.version
  return news.incarnation !== agreed.incarnation || news.allBefore > agreed.version || isNamed
}
