// Deferred calls, many in one go: Node looks at promises after each immediate, and what many groups have to say would be written to
// the socket group by group.

/** As many run before messages and timers are let in. What they publish leaves the process when they are through. */
const MOST_IN_ONE_GO = 64

/**
 * Runs calls in order, after everything that is going on in this turn.
 * @param soon runs a function in the next turn
 */
export function deferring(soon: (run: () => void) => void): (run: () => void) => void {
  let waiting: (() => void)[] = []
  const go = (): void => {
    const due = waiting.splice(0, MOST_IN_ONE_GO)
    if (waiting.length > 0) soon(go)
    let at = 0
    try {
      while (at < due.length) due[at++]?.()
    } finally {
      // One has thrown: the process may end of it, and if it doesn't, the others still have their turn.
      if (at < due.length) {
        if (waiting.length === 0) soon(go)
        waiting = [...due.slice(at), ...waiting]
      }
    }
  }
  return (run) => {
    if (waiting.push(run) === 1) soon(go)
  }
}
