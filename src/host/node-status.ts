// The status object of a node, read off its core; and its snapshots, as others get to see them.

import type { NodeCore } from '../actors/node/node.core.ts'
import { mayAppendCommands } from '../actors/node/node.readonly.ts'
import { leaseIsValid } from '../actors/node/node.reads.ts'
import { keepsNoData, refusalToShow } from '../actors/node/node.witness.ts'
import { withheldIndex } from '../actors/snapshot/payload.ts'
import { fileInfo } from '../actors/snapshot/user-reader.ts'
import type { ConfigurationInfo, SnapshotInfo } from '../api.ts'
import { QuorateError } from '../errors.ts'
import { pathOf } from '../observability/feed/charts.ts'
import type { CoreStatus } from '../observability/feed/feed-status.ts'
import { MAX_VERSION_NAME, MAX_VERSIONS } from '../protocol/admin-protocol.ts'
import type { ChangeStage } from '../rules/change.ts'
import { isStable } from '../rules/quorum.ts'
import type { ConfigurationEntry } from '../rules/types.ts'
import type { LentSnapshot } from '../services/member-port.ts'
import type { NodeStatus } from '../status.ts'
import type { SnapshotRecord } from '../storage/snapshot-store.ts'

/** @param state the value of the node's chart */
export function statusOf(core: NodeCore, state: unknown): NodeStatus {
  return {
    ...coreStatus(core, state),
    stateHash: stateHash(core),
    carries: carries(core),
    wallClockMs: Math.round(core.clock.wallMs()),
    disk: core.input.storage.diskStatus?.() ?? null,
  }
}

/** What is known without asking the disk or the user's machine. */
export function coreStatus(core: NodeCore, state: unknown): CoreStatus {
  const log = core.hasLog ? core.log : null
  return {
    group: core.group,
    id: core.id,
    identity: core.identity,
    role: core.role,
    state: pathOf(state),
    term: core.term,
    votedFor: core.votedFor,
    leader: core.leader,
    leaderContactMs: leaderContactMs(core),
    // Copies: what a user sorts or cuts must not be the configuration that votes are counted in.
    peers: [...core.configuration.peers],
    oldPeers: [...core.configuration.oldPeers],
    learners: [...(core.configuration.learners ?? [])],
    witnesses: [...(core.configuration.witnesses ?? [])],
    priorities: { ...core.configuration.priorities },
    membership: core.membership.in(core.configuration, core.id),
    resetPending: core.membership.reset.forced !== null,
    readonly: core.membership.isReadonly,
    refusesCommands: core.office !== null && !mayAppendCommands(core),
    withheldIndex: withheldIndex(core),
    change: changeStatus(core),
    firstIndex: log?.firstIndex ?? 1,
    lastIndex: log?.lastIndex ?? 0,
    lastTerm: log?.lastLogId.term ?? 0,
    durableIndex: log?.durableIndex ?? 0,
    undurableBytes: log?.undurableBytes ?? 0,
    commitIndex: core.commitIndex,
    appliedIndex: core.appliedIndex,
    pendingProposals: core.intake.pendingProposals,
    pendingBytes: core.intake.pendingBytes,
    leaseValid: leaseIsValid(core),
    replicators: replicators(core),
    snapshot: snapshotStatus(core),
    settings: settingsStatus(core),
    error: core.life.failure?.message ?? null,
  }
}

/** The members by the configuration in force, or by one that has just been. */
export function configurationInfo(
  core: NodeCore,
  { peers, oldPeers, learners = [], witnesses = [], priorities, id }: ConfigurationEntry,
  stage: ChangeStage,
): ConfigurationInfo {
  return {
    ...{ peers: [...peers], oldPeers: [...oldPeers], learners: [...learners], witnesses: [...witnesses] },
    priorities: { ...priorities },
    ...{ index: id.index, stage, leader: core.leader },
  }
}

export function membersOf(core: NodeCore): ConfigurationInfo {
  const { configuration, office } = core
  const stage = office?.change.stage ?? (isStable(configuration) ? 'none' : 'joint')
  return configurationInfo(core, configuration, stage)
}

function settingsStatus({ tuning }: NodeCore): NodeStatus['settings'] {
  const { electionTimeoutMs, maxClockDriftMs, leaderLease, maxEntryBytes } = tuning
  return { electionTimeoutMs, maxClockDriftMs, leaderLease, maxEntryBytes }
}

function leaderContactMs({ following, clock }: NodeCore): number | null {
  const { lastContactMs } = following.lease
  return lastContactMs === null ? null : Math.round(clock.nowMs() - lastContactMs)
}

/** What is told of by an event of this name, as it is by now. */
export function newsOf(core: NodeCore, event: 'membership' | 'snapshot'): ConfigurationInfo | SnapshotInfo {
  const { newest } = core.snapshots
  return event === 'snapshot' && newest !== null ? snapshotInfo(newest) : membersOf(core)
}

/** Opens the newest snapshot, for somebody outside of the group. `done` comes exactly once. */
export function openNewest(core: NodeCore, done: (opened: LentSnapshot) => void): void {
  const { snapshots, id, group } = core
  const none = new QuorateError('INVALID', `Member ${id} has no snapshot of ${group} yet.`)
  if (snapshots.store === null || snapshots.newest === null) return done({ ok: false, error: none })
  const refused = refusalToShow(core, 'onItself')
  // This member is the one that was asked: asking again would not help.
  if (refused !== null) return done({ ok: false, error: new QuorateError('UNSUPPORTED', refused.message) })
  snapshots.store.open((opened) => {
    if (opened.ok) return done({ ok: true, reader: opened.value })
    const { message, code } = opened.error
    const error = new QuorateError(code === 'CLOSED' ? 'SHUTDOWN' : 'STORAGE', message, {
      cause: opened.error,
    })
    done({ ok: false, error })
  })
}

/** A snapshot as users see it, and theirs to keep. */
export function snapshotInfo({ meta, files, bytes, takenAtMs }: SnapshotRecord): SnapshotInfo {
  const { lastIncludedIndex, lastIncludedTerm, peers, oldPeers } = meta
  return {
    lastIncludedIndex,
    lastIncludedTerm,
    peers: [...peers],
    oldPeers: [...oldPeers],
    files: files.map(fileInfo),
    bytes,
    takenAtMs,
  }
}

function changeStatus(core: NodeCore): NodeStatus['change'] {
  const { office } = core
  if (office === null || office.change.stage === 'none') return null
  const { stage, adding } = office.change
  return {
    stage,
    adding: adding.map((peer) => {
      const progress = office.followers.get(peer)?.progress
      const matchIndex = progress?.matchIndex ?? 0
      const remainingEntries = Math.max(0, core.log.lastIndex - matchIndex)
      const { doneBytes = null, totalBytes = null } = progress?.installing ?? {}
      return { peer, matchIndex, remainingEntries, doneBytes, totalBytes }
    }),
  }
}

function snapshotStatus({ snapshots }: NodeCore): NodeStatus['snapshot'] {
  const { newest, activity: state, isInstalling, progress, saves, failures } = snapshots
  return {
    newest: newest && {
      index: newest.meta.lastIncludedIndex,
      term: newest.meta.lastIncludedTerm,
      bytes: newest.bytes,
      files: newest.files.length,
      takenAtMs: newest.takenAtMs,
    },
    state,
    doneBytes: isInstalling || state === 'saving' ? progress.doneBytes : 0,
    totalBytes: isInstalling ? progress.totalBytes : 0,
    saves,
    failures,
    lastDurationMs: snapshots.lastDurationMs,
    lastError: snapshots.lastError,
  }
}

/** User code must not take the status with it, nor make it one that nobody reads. */
function carries({ stateMachine }: NodeCore): readonly string[] {
  try {
    const versions = stateMachine.carries?.() ?? []
    return versions.slice(0, MAX_VERSIONS).map((version) => String(version).slice(0, MAX_VERSION_NAME))
  } catch {
    return []
  }
}

/** User code must not take the status with it. */
/** What the machine of a witness has is no state of the group. */
function stateHash(core: NodeCore): string | null {
  if (keepsNoData(core)) return null
  const { stateMachine } = core
  try {
    return stateMachine.stateHash?.() ?? null
  } catch {
    return null
  }
}

function replicators(core: NodeCore): NodeStatus['replicators'] {
  const nowMs = core.clock.nowMs()
  return [...(core.office?.followers.values() ?? [])].map(({ progress }) => ({
    peer: progress.peer,
    state: progress.state,
    nextIndex: progress.nextIndex,
    matchIndex: progress.matchIndex,
    identity: progress.identity,
    counts: core.counts(progress.peer, progress.identity),
    readonly: progress.isReadonly,
    inFlightEntries: progress.inFlightEntries,
    inFlightFrames: progress.inFlight.length,
    consecutiveErrors: progress.consecutiveErrors,
    lastContactMs: progress.contacted ? Math.round(nowMs - progress.lastContactMs) : null,
    installing: progress.installing,
  }))
}
