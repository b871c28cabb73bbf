// When a command of a session is carried out: once, however often it gets into the log, as Ongaro's dissertation has it.

/** What is known of a session when a command of it is applied. */
export interface SessionView {
  /** Of its newest command, by the time of the log. */
  readonly lastUsedMs: number
  /** For so long it may stand idle. */
  readonly idleMs: number
  /** The client has the results up to here; they are forgotten. */
  readonly acknowledged: number
  /** Is the result of this command kept? */
  readonly knows: (sequence: number) => boolean
}

/**
 * `apply`: for the first time. `repeat`: it was carried out, and its result is kept. `stale`: it was carried out, and its
 * client said that it has the result. `expired`: nobody can tell whether it was carried out, so it must not be.
 */
export type SessionVerdict = 'apply' | 'repeat' | 'stale' | 'expired'

/** @param session null: there is none of that name, or not any more */
export function judgeSequence(session: SessionView | null, sequence: number, timeMs: number): SessionVerdict {
  if (session === null || hasExpired(session, timeMs)) return 'expired'
  if (sequence <= session.acknowledged) return 'stale'
  return session.knows(sequence) ? 'repeat' : 'apply'
}

/** Decided by the time of the log alone, and so alike on all members. */
export function hasExpired(session: Pick<SessionView, 'lastUsedMs' | 'idleMs'>, timeMs: number): boolean {
  return timeMs - session.lastUsedMs > session.idleMs
}
