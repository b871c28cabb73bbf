// The vocabulary of the node's chart: each guard asks one question, each action carries out one thing. The chart is in
// node.machine.ts; what the names do is in the node.*.ts files, and what they decide in src/rules.

import { setup } from 'xstate'
import { electsItself } from '../../rules/election.ts'
import { owesVoteForMs } from '../../rules/lease.ts'
import { deposes } from '../../rules/term.ts'
import type { LogIndex } from '../../rules/types.ts'
import type { Role } from '../../status.ts'
import { StorageError } from '../../storage/storage.ts'
import { applyQueueMachine } from '../apply/apply-queue.machine.ts'
import { logMachine } from '../log.machine.ts'
import { configurationChangeMachine } from '../membership/configuration-change.machine.ts'
import { heartbeatMachine } from '../replication/heartbeat.machine.ts'
import { replicatorMachine } from '../replication/replicator.machine.ts'
import { lacksPayload } from '../snapshot/payload.ts'
import { snapshotMachine } from '../snapshot/snapshot.machine.ts'
import { timerMachine } from '../timer.machine.ts'
import { act, ask, guarded, type NodeContext, on } from './node.acting.ts'
import { noteLeader, noteRole, watchLag } from './node.announcing.ts'
import { neededInMemory } from './node.appending.ts'
import { NodeCore } from './node.core.ts'
import * as election from './node.election.ts'
import * as ending from './node.end.ts'
import {
  ANSWERS,
  FAILURES,
  FROM_LEADER,
  type NodeEmitted,
  type NodeEvent,
  OF_A_TERM,
  RPCS,
} from './node.events.ts'
import * as follower from './node.follower.ts'
import { settleReset } from './node.forced.ts'
import { giveUpWaiting } from './node.handover.ts'
import type { NodeInput } from './node.input.ts'
import * as leading from './node.leader.ts'
import * as membership from './node.membership.ts'
import { giveWay } from './node.preference.ts'
import { leaderIsAbsent } from './node.presence.ts'
import * as reads from './node.reads.ts'
import * as refusing from './node.refusals.ts'
import * as removal from './node.removal.ts'
import * as resetting from './node.reset.ts'
import * as sleeping from './node.sleep.ts'
import { acceptOffer, adoptSnapshot, saveByItself, saveWhenDue, trimLog } from './node.snapshots.ts'
import * as starting from './node.start.ts'
import { stepDown } from './node.stepdown.ts'
import { tenureChanged } from './node.tenure.ts'
import { giveUpLeader, reasonOf, termAfter } from './node.term.ts'
import * as told from './node.timeout-now.ts'
import * as standing from './node.timing.ts'
import * as transferring from './node.transfer.ts'
import { proposalQueue } from './proposal-queue.ts'

/** How long a disk may take to let go of a group before the node ends without it. */
const STORE_PATIENCE_MS = 2000

const base = setup({
  types: {
    context: {} as NodeContext,
    events: {} as NodeEvent,
    input: {} as NodeInput,
    emitted: {} as NodeEmitted,
  },
  actors: {
    log: logMachine,
    applyQueue: applyQueueMachine,
    proposalQueue,
    replicator: replicatorMachine,
    heartbeat: heartbeatMachine,
    timer: timerMachine,
    snapshotExecutor: snapshotMachine,
    configurationChange: configurationChangeMachine,
  },
  guards: {
    logAndSnapshotFit: ({ context: { core } }) => starting.inconsistency(core) === null,
    hardStateIsDurable: ({ context: { core } }) => core.outbox.isOpen,
    hasConfiguration: ({ context: { core } }) => core.configuration.peers.length > 0,
    hasJoined: ({ context: { core } }) => core.life.route !== null,
    electsItself: ({ context: { core } }) => electsItself(core.configuration, core.id, lacksPayload(core)),
    followsLeader: ({ context: { core } }) => core.leader !== null,
    mayStandWhenAsked: ({ context: { core } }) => standing.mayStandWhenAsked(core),

    mayFallAsleep: ask(['sleep'], sleeping.mayFall),
    leaderIsAbsent: ({ context: { core } }) => leaderIsAbsent(core),
    leaderIsSilent: ask(['timer.election'], (core, event) => election.leaderIsSilent(core, event)),
    maySeekElection: ask(['timer.election'], (core, event) => election.maySeek(core, event)),
    preVoteIsWon: ({ context: { core } }) => election.preVoteIsWon(core),
    voteIsWon: ({ context: { core } }) => election.voteIsWon(core),
    candidacyIsDurable: ask(
      ['hardState.durable'],
      ({ candidacy }, { version }) => version >= candidacy.recordVersion,
    ),
    asksAgainOnVoteTimeout: ask(
      ['timer.vote'],
      (core, event) => core.candidacy.goesBack(core.tuning) && election.maySeek(core, event),
    ),
    stepsDownOnVoteTimeout: ({ context: { core } }) => core.candidacy.goesBack(core.tuning),
    answerIsStale: ({ context: { core }, event }) => !election.isCurrentAnswer(core, event),
    tellsOfRemoval: ({ context: { core }, event }) => removal.tellsOfRemoval(core, event),
    answerDeposes: ask(ANSWERS, (core, event) => deposes(core.term, event.response.term)),
    termIsHigher: ask(['term.higher'], (core, event) => deposes(core.term, event.term)),
    requestTermIsHigher: ask(RPCS, (core, event) => deposes(core.term, event.message.term)),
    voteChangesRole: ask(['rpc.request_vote'], (core, event) => election.voteChangesRole(core, event)),
    voteIsRepeated: ask(['rpc.request_vote'], (core, event) => election.voteIsRepeated(core, event)),
    followsTimeoutNow: ask(['rpc.timeout_now'], (core, event) => told.followsTimeoutNow(core, event)),

    senderIsStale: ask(FROM_LEADER, (core, event) => follower.senderOf(core, event) === 'stale'),
    senderIsNew: ask(FROM_LEADER, (core, event) => follower.senderOf(core, event) === 'new'),
    senderConflicts: ask(FROM_LEADER, (core, event) => follower.senderOf(core, event) === 'conflict'),

    isOfThisTerm: ask(OF_A_TERM, (core, event) => event.term === core.term),
    quorumIsLost: ask(['timer.stepDown'], (core, event) => leading.judgeContact(core, event) === 'lost'),
    quorumIsLate: ask(['timer.stepDown'], (core, event) => leading.judgeContact(core, event) === 'late'),
    isEstablished: ({ context: { core } }) => leading.isEstablished(core),
    transferStarts: ask(['transfer'], transferring.transferStarts),
    targetHasEverything: ({ context: { core } }) => transferring.targetHasEverything(core),
    isOfThisTransfer: ask(['transfer.refused'], transferring.isOfThisTransfer),
    resetForces: ask(['reset'], resetting.resetForces),
    saysNothing: ({ context: { core } }) => !core.life.farewell,
  },
  delays: {
    ownVotePromised: ({ context: { core } }) =>
      Math.max(1, Math.ceil(owesVoteForMs(core.following.lease, core.leaseTerms, core.clock.nowMs()))),
    electionTimeout: ({ context: { core } }) => core.tuning.electionTimeoutMs,
    drainPatience: ({ context: { core } }) => Math.max(1, core.tuning.drainTimeoutMs),
    storePatience: ({ context: { core } }) => Math.max(STORE_PATIENCE_MS, core.tuning.drainTimeoutMs),
  },
  actions: {
    takeLog: on(['log.opened'], (core, event) => starting.takeLog(core, event.port)),
    loadSnapshot: act(starting.loadSnapshot),
    recover: act(starting.recover),
    followSnapshot: on(['snapshot.saved', 'snapshot.loaded'], (core, { meta }) => {
      if (meta !== null) adoptSnapshot(core, meta)
    }),
    trimLog: act(trimLog),
    askForSnapshot: on(['snapshot'], (core, { asked }) => core.toSnapshots({ type: 'save', asked })),
    refuseSnapshot: on(['snapshot'], refusing.refuseSnapshot),
    saveOnTimer: act(saveByItself),
    saveWhenDue: act(saveWhenDue),
    joinGroup: act(starting.joinGroup),
    noteInconsistency: act((core) => {
      core.life.step = 'checkingConsistency'
      const cause = new StorageError('CORRUPT', starting.inconsistency(core) ?? 'unknown')
      core.life.failure = new Error(`checkingConsistency failed: ${cause.message}`, { cause })
    }),
    tellStarted: act(starting.tellStarted),
    tellLeading: act((core) => core.life.tellStarted(null)),

    releaseOutbox: on(['hardState.durable'], (core, event) => core.outbox.release(event.version)),

    giveUpLeader: act(giveUpLeader),
    failStrandedReads: act(reads.failStrandedReads),
    startPreVote: act(election.startPreVote),
    standForElection: act(election.standForElection),
    requestVotes: act(election.requestVotes),
    grantSelf: act(election.grantSelf),
    countAnswer: act(election.countAnswer),
    takeRemoval: act(removal.takeRemoval),
    answerPreVote: on(['rpc.pre_vote'], election.answerPreVote),
    repeatVote: on(['rpc.request_vote'], election.repeatVote),
    refuseVote: on(['rpc.request_vote'], election.refuseVote),
    acceptTimeoutNow: on(['rpc.timeout_now'], told.acceptTimeoutNow),
    refuseTimeoutNow: on(['rpc.timeout_now'], told.refuseTimeoutNow),

    fallAsleep: on(['sleep'], sleeping.fallAsleep),
    wakeUp: act(sleeping.wakeUp),
    refuseSender: on(FROM_LEADER, follower.refuseSender),
    followSender: on(FROM_LEADER, follower.followSender),
    acceptAppend: on(['rpc.append_entries'], follower.acceptAppend),
    acceptHeartbeat: on(['rpc.heartbeat'], follower.acceptHeartbeat),
    acceptOffer: on(['rpc.install_snapshot'], acceptOffer),
    settleAcks: act(follower.settleAcks),

    appendFirstEntry: act(leading.appendFirstEntry),
    appendProposals: on(['propose'], (core, event) => leading.appendProposals(core, event.proposals)),
    refuseProposals: on(['propose'], refusing.refuseProposals),
    countBallots: act(leading.countBallots),
    giveOneRound: act(leading.giveOneRound),
    recordIdentities: act(leading.recordIdentities),
    watchLag: act(watchLag),

    takeChange: on(['change'], (core, event) => membership.takeChange(core, event.asked)),
    refuseChange: on(['change'], (core, event) => membership.refuseChange(core, event.asked)),
    forcePeers: on(['reset'], resetting.forcePeers),
    answerReset: on(['reset'], resetting.answerReset),
    refuseReset: on(['reset'], resetting.refuseReset),
    settleReset: act(settleReset),
    giveUpReset: on(['reset.late'], resetting.giveUpReset),
    sweepLeavers: act(membership.sweepLeavers),
    giveWay: act(giveWay),
    hasten: on(['vote'], standing.hasten),
    refuseToStand: on(['vote'], standing.refuseToStand),
    startTransfer: on(['transfer'], transferring.startTransfer),
    answerTransfer: on(['transfer'], transferring.answerTransfer),
    refuseTransfer: on(['transfer'], transferring.refuseTransfer),
    sendTimeoutNow: act(transferring.sendTimeoutNow),
    resumeOffice: act(transferring.resumeOffice),
    giveUpWaiting: act(giveUpWaiting),

    takeReads: on(['read'], reads.takeReads),
    forwardReads: on(['read'], reads.forwardReads),
    refuseReads: on(['read'], refusing.refuseReads),
    startRound: act(reads.startRound),
    countRound: on(['round.answered'], reads.countRound),
    retryRound: on(['round.retry'], reads.retryRound),
    serveReadIndex: on(['rpc.read_index'], reads.serveReadIndex),
    refuseReadIndex: on(['rpc.read_index'], refusing.refuseReadIndex),

    serveFile: on(['rpc.get_file'], (core, event) =>
      core.files.serve(event.from, event.message, event.reply),
    ),

    noteApplied: on(['applied'], (core, event) => {
      core.appliedIndex = event.index
      core.snapshots.appliedBytes = event.bytes
      core.counters.applied(event.index, core.clock.nowMs())
      tenureChanged(core)
    }),
    refuseInactive: on(RPCS, refusing.refuseInactive),
    noteFailure: on(FAILURES, ending.noteFailure),
    noteFarewell: act(ending.noteFarewell),
    enterError: act(ending.enterError),
    drain: act(ending.drain),
    closeStore: act(ending.closeStore),
    noteStalledStore: act(ending.noteStalledStore),
    endEverything: act(ending.endEverything),
  },
})

/** The actors that live as long as the node. */
const startActors = base.assign(({ context: { core }, spawn, self }) => {
  core.life.self = self
  core.life.proposalQueue = spawn('proposalQueue', { id: 'proposalQueue', input: { core } })
  core.life.applyQueue = spawn('applyQueue', { id: 'applyQueue', input: { world: core } })
  core.life.snapshotExecutor = spawn('snapshotExecutor', { id: 'snapshotExecutor', input: { world: core } })
  return {}
})

const openLog = base.assign(({ context: { core }, spawn, self }) => {
  const { storage, tuning, caches } = core.input
  const input = {
    group: core.group,
    ...{ storage, maxCachedBytes: tuning.maxCachedLogBytes, caches, parent: self },
    neededFrom: (firstCachedIndex: LogIndex) => neededInMemory(core, firstCachedIndex),
  }
  core.life.logActor = spawn('log', { id: 'log', input })
  return {}
})

const takeOffice = base.assign(({ context: { core }, event, spawn }) => {
  guarded(core, event, () => {
    const office = leading.takeOffice(core)
    const input = { world: new membership.LeaderDoor(core, office), change: office.change }
    office.change.actor = spawn('configurationChange', { id: 'configurationChange', input })
  })
  return {}
})

/** A replicator and a heartbeat for everybody who is to have the log. */
const welcomeFollowers = base.assign(({ context: { core }, event, spawn }) => {
  guarded(core, event, () => {
    const { office, term } = core
    if (office === null) return
    membership.welcomeFollowers(core, office, (progress) => {
      const { peer } = progress
      const input = { core, progress, term }
      const replicator = spawn('replicator', { id: `replicator:${peer}`, input })
      const watch = { replicator, isSettled: () => sleeping.isSettledOffice(core), ...input }
      const heartbeat = spawn('heartbeat', { id: `heartbeat:${peer}`, input: watch })
      return { progress, replicator, heartbeat }
    })
  })
  return {}
})

const dismissFollowers = base.enqueueActions(({ context: { core }, event, enqueue }) => {
  guarded(core, event, () => {
    for (const actor of membership.dismissFollowers(core)) enqueue.stopChild(actor)
  })
})

/** Ends an office; the actors that belonged to it stop. */
const leaveOffice = base.enqueueActions(({ context: { core }, event, enqueue }) => {
  guarded(core, event, () => {
    const retired = stepDown(core, { term: termAfter(core, event), reason: reasonOf(event) })
    for (const actor of retired) enqueue.stopChild(actor)
  })
})

/** Both leaders of a term must fall: the next term is nobody's (trap T16). */
const raiseOverConflict = base.enqueueActions(({ context: { core }, event, enqueue }) => {
  guarded(core, event, () => {
    core.logger.error({ group: core.group, term: core.term }, 'Two leaders in one term; raising the term.')
    const retired = stepDown(core, { term: termAfter(core, event) + 1, reason: 'LEADER_CONFLICT' })
    for (const actor of retired) enqueue.stopChild(actor)
  })
})

const yieldToCandidate = base.enqueueActions(({ context: { core }, event, enqueue }) => {
  guarded(core, event, () => {
    if (event.type !== 'rpc.request_vote') return
    for (const actor of election.yieldToCandidate(core, event)) enqueue.stopChild(actor)
  })
})

/** Tells listeners what has changed since they were told last. */
function announceAs(role: Role | null) {
  return base.enqueueActions(({ context: { core }, enqueue }) => {
    const from = core.role
    const to = role ?? from
    core.role = to
    if (to !== from) {
      noteRole(core, from, to)
      enqueue.emit({ type: 'role', from, to, term: core.term, reason: core.reason })
    }
    const { announced } = core.life
    if (core.leader === announced.leader && core.term === announced.term) return
    core.life.announced = { leader: core.leader, term: core.term }
    noteLeader(core)
    enqueue.emit({ type: 'leader', leader: core.leader, term: core.term })
  })
}

/** Out of a passive follower's seat there is somebody to elect. */
const armElectionTimer = base.sendTo('electionTimer', { type: 'arm' })
const hastenElectionTimer = base.sendTo('electionTimer', { type: 'again' })

/** Somebody does not sleep any more: contact is checked again. */
const armStepDownTimer = base.sendTo('stepDownTimer', { type: 'arm' })
/** Contact is checked again after one heartbeat round. */
const checkAgainSoon = base.sendTo('stepDownTimer', { type: 'again' })

const announceFailure = base.emit(({ context: { core } }) => ({
  type: 'failed',
  error: core.life.failure ?? new Error('unknown'),
}))

export const nodeSetup = base.extend({
  actions: {
    startActors,
    openLog,
    takeOffice,
    welcomeFollowers,
    dismissFollowers,
    leaveOffice,
    raiseOverConflict,
    yieldToCandidate,
    announce: announceAs(null),
    enterInitializing: announceAs('initializing'),
    enterFollower: announceAs('follower'),
    enterCandidate: announceAs('candidate'),
    enterLeader: announceAs('leader'),
    enterErrorRole: announceAs('error'),
    enterShuttingDown: announceAs('shuttingDown'),
    enterShutdown: announceAs('shutdown'),
    announceFailure,
    armElectionTimer,
    hastenElectionTimer,
    checkAgainSoon,
    armStepDownTimer,
  },
})

export function createContext(input: NodeInput): NodeContext {
  return { core: new NodeCore(input) }
}
