// Majorities and joint majorities: the arithmetic under elections, commits, check-quorum, leases and reads.

import { type Configuration, DEFAULT_PRIORITY, type PeerId } from './types.ts'

/** How many of `size` make a majority. An empty set has none: 1 of nobody can never be reached. */
export function majorityOf(size: number): number {
  return Math.floor(size / 2) + 1
}

/** Stable means: no change of membership is under way (paper section 6). */
export function isStable(configuration: Configuration): boolean {
  return configuration.oldPeers.length === 0
}

/** Everybody who votes: the union of both halves while joint, each once. */
export function members(configuration: Configuration): readonly PeerId[] {
  if (isStable(configuration)) return configuration.peers
  return [...new Set([...configuration.peers, ...configuration.oldPeers])]
}

/** Everybody who is sent the log: who votes, and learners, each once. */
export function targets(configuration: Configuration): readonly PeerId[] {
  const { learners = [] } = configuration
  const voters = members(configuration)
  return learners.length === 0 ? voters : [...new Set([...voters, ...learners])]
}

/** Who still votes while joint, and is named among the learners already, becomes one when the change ends. */
export function isLearner(configuration: Configuration, peer: PeerId): boolean {
  return configuration.learners?.includes(peer) === true && !isMember(configuration, peer)
}

export function isWitness(configuration: Configuration, peer: PeerId): boolean {
  return configuration.witnesses?.includes(peer) === true
}

export function priorityOf(configuration: Configuration, peer: PeerId): number {
  return configuration.priorities?.[peer] ?? DEFAULT_PRIORITY
}

/** A voter: learners are none. */
export function isMember(configuration: Configuration, peer: PeerId): boolean {
  return configuration.peers.includes(peer) || configuration.oldPeers.includes(peer)
}

/** A majority of `peers`, and while joint also of `oldPeers`, says yes. */
export function hasQuorum(configuration: Configuration, says: (peer: PeerId) => boolean): boolean {
  return (
    hasMajority(configuration.peers, says) &&
    (isStable(configuration) || hasMajority(configuration.oldPeers, says))
  )
}

function hasMajority(peers: readonly PeerId[], says: (peer: PeerId) => boolean): boolean {
  let yes = 0
  for (const peer of peers) if (says(peer)) yes++
  return yes >= majorityOf(peers.length)
}

/**
 * The largest value that a quorum has reached: of match indexes the index that a quorum holds, of contact times the
 * time since when a quorum was in touch. `-Infinity` for an empty configuration.
 */
export function quorumValue(configuration: Configuration, measure: (peer: PeerId) => number): number {
  const now = majorityValue(configuration.peers, measure)
  return isStable(configuration) ? now : Math.min(now, majorityValue(configuration.oldPeers, measure))
}

function majorityValue(peers: readonly PeerId[], measure: (peer: PeerId) => number): number {
  if (peers.length === 0) return Number.NEGATIVE_INFINITY
  const descending = peers.map(measure).sort((a, b) => b - a)
  return descending[majorityOf(peers.length) - 1] ?? Number.NEGATIVE_INFINITY
}
