// Where the time of one write goes: moments on its way that whoever measures is told of. Nobody listens as a rule; then each
// costs one look at a variable, once per batch.

/** In the order of the way. On a follower: `frame read`, then its disk, then `answered`. */
export const TRACE_POINTS = [
  'taken', // by the member: the turn in which it was proposed is over
  'appended', // to the leader's log in memory, and handed to the disk thread
  'frame sent', // to one follower
  'frame read', // by the follower, decoded
  'durable', // the disk thread has confirmed it, and the main thread knows
  'answered', // to the leader
  'answer read', // by the leader
  'committed',
  'applied', // by the state machine
] as const
export type TracePoint = (typeof TRACE_POINTS)[number]

type Listener = (point: TracePoint) => void

let listener: Listener | null = null

/** From now on `told` hears of every point that is passed in this process; null: nobody does. It must not throw. */
export function listenToTracePoints(told: Listener | null): void {
  listener = told
}

export function passes(point: TracePoint): void {
  listener?.(point)
}
