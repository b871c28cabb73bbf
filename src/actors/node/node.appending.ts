// What a leader appends: to its log, its disk and its followers in the same turn, and for configurations to what is in force.

import { encodeConfiguration } from '../../log/configuration-codec.ts'
import { neededFrom } from '../../rules/caching.ts'
import { whoLeaves } from '../../rules/change.ts'
import { targets } from '../../rules/quorum.ts'
import { type Configuration, EntryType, type LogEntry, type LogIndex } from '../../rules/types.ts'
import { noteMembership } from './node.configuration.ts'
import type { NodeCore } from './node.core.ts'
import { followLog } from './node.forced.ts'

/** Indexes, memory, disk and followers in the same turn (docs/architecture.md). */
export function appendToLog(core: NodeCore, entries: readonly LogEntry[]): void {
  if (entries.length === 0) return
  core.life.logActor?.send({ type: 'append', entries })
  core.counters.appended(entries.length, core.log.lastIndex, core.term, core.clock.nowMs())
  for (const { replicator } of core.office?.followers.values() ?? []) replicator.send({ type: 'log.grew' })
}

/** The first entry that is still to be applied, or to be acknowledged by somebody who is sent from memory. */
export function neededInMemory({ appliedIndex, office }: NodeCore, firstCachedIndex: LogIndex): LogIndex {
  const followers = [...(office?.followers.values() ?? [])].map(({ progress }) => progress)
  return neededFrom(appliedIndex, firstCachedIndex, followers)
}

/** In force from here on, on this member at once (paper section 6). */
export function appendConfiguration(core: NodeCore, configuration: Configuration): void {
  const { office, term } = core
  const index = core.log.lastIndex + 1
  const before = core.configuration
  core.configuration = { ...configuration, id: { index, term } }
  noteMembership(core)
  followLog(core)
  office?.ballots.judgeBy(core.configuration, index)
  for (const peer of whoLeaves(before, configuration)) office?.change.leaves(peer, index)
  office?.readmit(targets(configuration))
  const data = encodeConfiguration(configuration)
  appendToLog(core, [{ index, term, type: EntryType.CONFIGURATION, data }])
  core.send({ type: 'followers.due', term })
}
