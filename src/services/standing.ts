// Whom a member knows to lead, kept by its events: every answer carries it, and the status costs too much for that.

import type { RaftNode } from '../api.ts'
import type { Standing } from '../protocol/client-protocol.ts'

export interface StandingTracker {
  now(): Standing
  stop(): void
}

export function trackStanding(node: RaftNode): StandingTracker {
  const { id } = node
  const status = node.status()
  let leads = status.role === 'leader'
  let now: Standing = { id, term: status.term, leader: leads ? id : status.leader }
  // A member that ended in its error state may still think of itself: clients must not stay with it.
  const know = (leader: string | null, term: number): void => {
    now = { id, term, leader: leader === id && !leads ? null : leader }
  }
  const stops = [
    node.on('role', ({ to, term }) => {
      leads = to === 'leader'
      know(leads ? id : now.leader, term)
    }),
    node.on('leader', ({ leader, term }) => know(leader, term)),
  ]
  return {
    now: () => now,
    stop() {
      for (const stop of stops) stop()
    },
  }
}
