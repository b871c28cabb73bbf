// What has been thrown, as an error and as words; and the shelter for code that is not ours.

/** Anything may be thrown; this makes an `Error` of it. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown))
}

/** The words of whatever was thrown. Never throws itself, whatever a stranger's `toString` does. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown)
  } catch {
    return 'something that cannot be put into words'
  }
}

/**
 * Runs code that may throw where nobody would catch it: a callback of a user, a listener, an inspector, somebody's
 * completion. What it throws goes to `report`, and the caller goes on with the next one. A rejected promise is caught,
 * too: an `async` function passes for a callback that returns nothing.
 *
 * @example
 * for (const done of waiting) sheltered(() => done(error), (thrown) => logger.error({ error: messageOf(thrown) }, 'A completion threw.'))
 */
export function sheltered(run: () => unknown, report: (thrown: unknown) => void): void {
  try {
    const returned = run()
    if (isThenable(returned)) returned.then(undefined, report)
  } catch (thrown) {
    report(thrown)
  }
}

/** Asking for `then` may throw (a getter of a stranger's); whoever asks shelters the question. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
