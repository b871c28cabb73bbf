// SIGTERM and Ctrl-C from the first moment on. It imports nothing, so that it is there before anything that takes time:
// a signal that comes while the rest is being loaded is kept for the command that knows what to do with it.

type StopSignal = 'SIGTERM' | 'SIGINT'

const SIGNALS: readonly StopSignal[] = ['SIGTERM', 'SIGINT']
/** What came before anybody took it. */
const kept: StopSignal[] = []
let taker: ((signal: StopSignal) => void) | null = null

function hear(signal: StopSignal): void {
  if (taker === null) kept.push(signal)
  else taker(signal)
}

for (const signal of SIGNALS) process.on(signal, hear)

/**
 * From now on they go to `next`, those included that have been kept. The listeners stay where they are: a signal that is
 * on its way while a listener is changed for another is lost.
 */
export function takeSignals(next: (signal: StopSignal) => void): void {
  taker = next
  for (const signal of kept.splice(0)) next(signal)
}

/** For commands with nothing to put away: they end the process, as they do with any other program. */
export function leaveSignals(): void {
  takeSignals((signal) => {
    for (const each of SIGNALS) process.off(each, hear)
    process.kill(process.pid, signal)
  })
}

/** What a shell says of a process that a signal ended. */
export function exitCodeOfSignal(signal: StopSignal): number {
  return signal === 'SIGINT' ? 130 : 143
}
