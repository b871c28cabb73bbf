// Whom a member knows to lead, kept by its events: every answer carries it, and the status costs too much for that.

import type { RaftNode } from '../api.ts'
import type { Standing } from './client-protocol.ts'

export interface StandingTracker {
  now(): Standing
  stop(): void
}

export function trackStanding(node: RaftNode): StandingTracker {
  const { id } = node
  const { term, leader, role } = node.status()
  let now: Standing = { id, term, leader: role === 'leader' ? id : leader }
  const stops = [
    node.on('role', ({ to, term }) => {
      if (to === 'leader') now = { id, term, leader: id }
      // Also on the way to the error state, which is no election: clients must not stay with a member that ended.
      else now = { id, term, leader: now.leader === id ? null : now.leader }
    }),
    node.on('leader', ({ leader, term }) => {
      now = { id, term, leader }
    }),
  ]
  return {
    now: () => now,
    stop() {
      for (const stop of stops) stop()
    },
  }
}
