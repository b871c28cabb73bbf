// The node's chart: lifecycle and roles. Names only; see node.setup.ts for what they mean.

import { quick } from '../quick.ts'
import { createContext, nodeSetup } from './node.setup.ts'
import { timers } from './node.timers.ts'

const failing = { target: '#node.error', actions: 'noteFailure' } as const

export const nodeMachine = nodeSetup.createMachine({
  id: 'node',
  context: ({ input }) => createContext(input),
  initial: 'uninitialized',
  on: {
    'hardState.durable': { actions: 'releaseOutbox' },
    applied: { actions: 'noteApplied' },
    propose: { actions: 'refuseProposals' },
    read: { actions: 'refuseReads' },
    change: { actions: 'refuseChange' },
    reset: { actions: 'refuseReset' },
    snapshot: { actions: 'refuseSnapshot' },
    transfer: { actions: 'refuseTransfer' },
    vote: { actions: 'refuseToStand' },
    'rpc.*': { actions: 'refuseInactive' },
    'farewell.said': { actions: 'noteFarewell' },
  },
  states: {
    uninitialized: {
      on: { init: { target: 'initializing' }, shutdown: { target: 'shutdown' } },
    },

    initializing: {
      initial: 'openingLog',
      entry: ['startActors', 'enterInitializing'],
      on: {
        'log.failed': failing,
        'hardState.failed': failing,
        'snapshot.failed': failing,
        'apply.failed': failing,
        fatal: failing,
        shutdown: { target: 'shuttingDown' },
      },
      states: {
        openingLog: {
          entry: 'openLog',
          on: { 'log.opened': { target: 'loadingSnapshot', actions: 'takeLog' } },
        },
        loadingSnapshot: {
          entry: 'loadSnapshot',
          on: { 'snapshot.loaded': { target: 'checkingConsistency', actions: 'followSnapshot' } },
        },
        checkingConsistency: {
          always: [
            { guard: 'logAndSnapshotFit', target: 'loadingMeta' },
            { target: '#node.error', actions: 'noteInconsistency' },
          ],
        },
        loadingMeta: {
          entry: 'recover',
          always: { guard: 'hardStateIsDurable', target: 'joiningGroup' },
        },
        joiningGroup: {
          entry: 'joinGroup',
          always: { guard: 'hasJoined', target: '#node.active' },
        },
      },
    },

    active: {
      initial: 'follower',
      entry: 'tellStarted',
      invoke: { src: 'timer', id: 'snapshotTimer', input: timers.snapshot },
      on: {
        applied: { actions: ['noteApplied', 'saveWhenDue'] },
        snapshot: { actions: 'askForSnapshot' },
        'transfer.late': { actions: 'giveUpWaiting' },
        reset: [
          { guard: 'resetForces', target: '.follower', actions: ['leaveOffice', 'forcePeers'] },
          { actions: 'answerReset' },
        ],
        'reset.late': { actions: 'giveUpReset' },
        'timer.snapshot': { actions: 'saveOnTimer' },
        'snapshot.saved': { actions: 'followSnapshot' },
        'snapshot.loaded': { actions: 'followSnapshot' },
        'snapshot.unchanged': { actions: 'trimLog' },
        'log.durable': { actions: ['settleAcks', 'settleReset'] },
        'rpc.pre_vote': { actions: 'answerPreVote' },
        'rpc.request_vote': [
          { guard: 'voteChangesRole', target: '.follower', actions: 'yieldToCandidate' },
          { actions: 'refuseVote' },
        ],
        'rpc.append_entries': [
          { guard: 'senderIsStale', actions: 'refuseSender' },
          { target: '.follower', actions: ['leaveOffice', 'followSender', 'acceptAppend'] },
        ],
        'rpc.heartbeat': [
          { guard: 'senderIsStale', actions: 'refuseSender' },
          { target: '.follower', actions: ['leaveOffice', 'followSender', 'acceptHeartbeat'] },
        ],
        'rpc.install_snapshot': [
          { guard: 'senderIsStale', actions: 'refuseSender' },
          { target: '.follower', actions: ['leaveOffice', 'followSender', 'acceptOffer'] },
        ],
        'rpc.timeout_now': [
          {
            guard: 'requestTermIsHigher',
            target: '.follower',
            actions: ['leaveOffice', 'refuseTimeoutNow'],
          },
          { actions: 'refuseTimeoutNow' },
        ],
        'rpc.read_index': { actions: 'refuseReadIndex' },
        'rpc.get_file': { actions: 'serveFile' },
        'term.higher': { guard: 'termIsHigher', target: '.follower', actions: 'leaveOffice' },
        'log.failed': failing,
        'hardState.failed': failing,
        'snapshot.failed': failing,
        'apply.failed': failing,
        fatal: failing,
        shutdown: { target: 'shuttingDown' },
      },
      states: {
        follower: {
          initial: 'passive',
          entry: 'enterFollower',
          invoke: { src: 'timer', id: 'electionTimer', input: timers.election },
          on: {
            read: { actions: 'forwardReads' },
            'leader.absent': { guard: 'leaderIsAbsent', actions: 'hastenElectionTimer' },
            vote: [
              { guard: 'mayStandWhenAsked', target: '.preVoting', actions: ['hasten', 'armElectionTimer'] },
              { actions: 'refuseToStand' },
            ],
            'rpc.request_vote': [
              { guard: 'voteChangesRole', target: '.passive', actions: 'yieldToCandidate' },
              { guard: 'voteIsRepeated', actions: 'repeatVote' },
              { actions: 'refuseVote' },
            ],
            'rpc.append_entries': [
              { guard: 'senderIsStale', actions: 'refuseSender' },
              {
                guard: 'senderConflicts',
                target: '.passive',
                actions: ['raiseOverConflict', 'refuseSender'],
              },
              {
                guard: 'senderIsNew',
                target: '.passive',
                actions: ['leaveOffice', 'followSender', 'acceptAppend'],
              },
              { actions: ['followSender', 'acceptAppend'] },
            ],
            'rpc.heartbeat': [
              { guard: 'senderIsStale', actions: 'refuseSender' },
              {
                guard: 'senderConflicts',
                target: '.passive',
                actions: ['raiseOverConflict', 'refuseSender'],
              },
              {
                guard: 'senderIsNew',
                target: '.passive',
                actions: ['leaveOffice', 'followSender', 'acceptHeartbeat'],
              },
              { actions: ['followSender', 'acceptHeartbeat'] },
            ],
            'rpc.install_snapshot': [
              { guard: 'senderIsStale', actions: 'refuseSender' },
              {
                guard: 'senderConflicts',
                target: '.passive',
                actions: ['raiseOverConflict', 'refuseSender'],
              },
              {
                guard: 'senderIsNew',
                target: '.passive',
                actions: ['leaveOffice', 'followSender', 'acceptOffer'],
              },
              { actions: ['followSender', 'acceptOffer'] },
            ],
            'rpc.timeout_now': [
              {
                guard: 'requestTermIsHigher',
                target: '.passive',
                actions: ['leaveOffice', 'refuseTimeoutNow'],
              },
              {
                guard: 'followsTimeoutNow',
                target: 'candidate',
                actions: ['standForElection', 'acceptTimeoutNow'],
              },
              { actions: 'refuseTimeoutNow' },
            ],
            'term.higher': { guard: 'termIsHigher', target: '.passive', actions: 'leaveOffice' },
          },
          states: {
            // Without a configuration there is nobody to elect: wait to be contacted.
            passive: {
              entry: 'announce',
              always: [
                { guard: 'electsItself', target: '#node.active.follower.standing' },
                { guard: 'hasConfiguration', target: 'waiting', actions: 'armElectionTimer' },
              ],
            },
            waiting: {
              on: {
                sleep: { guard: 'mayFallAsleep', target: 'asleep' },
                'timer.election': [
                  { guard: 'maySeekElection', target: 'preVoting', actions: 'giveUpLeader' },
                  // Who may not lead can only wait for somebody who does.
                  { guard: 'leaderIsSilent', actions: ['giveUpLeader', 'failStrandedReads', 'announce'] },
                ],
              },
            },
            // The leader has nothing to say, and its process vouches for it.
            asleep: {
              entry: 'fallAsleep',
              exit: 'wakeUp',
              on: {
                sleep: { guard: 'mayFallAsleep', target: 'asleep', reenter: true },
                roused: { target: 'waiting', actions: 'armElectionTimer' },
                'timer.election': {
                  guard: 'maySeekElection',
                  target: 'preVoting',
                  actions: ['giveUpLeader', 'armElectionTimer'],
                },
              },
            },
            preVoting: {
              entry: ['startPreVote', 'announce'],
              always: { guard: 'preVoteIsWon', target: 'standing' },
              after: { ownVotePromised: { actions: 'grantSelf' } },
              on: {
                'timer.election': [
                  { guard: 'maySeekElection', target: 'preVoting', reenter: true, actions: 'giveUpLeader' },
                  // Asked for, and not won: the leader is still there.
                  { guard: 'followsLeader', target: 'waiting' },
                ],
                'preVote.answered': [
                  { guard: 'answerIsStale' },
                  { guard: 'answerDeposes', target: 'passive', actions: 'leaveOffice' },
                  { guard: 'tellsOfRemoval', target: 'waiting', actions: 'takeRemoval' },
                  { actions: 'countAnswer' },
                ],
              },
            },
            standing: { always: { target: '#node.active.candidate', actions: 'standForElection' } },
          },
        },

        candidate: {
          initial: 'persistingVote',
          entry: 'enterCandidate',
          invoke: { src: 'timer', id: 'voteTimer', input: timers.vote },
          on: {
            'timer.vote': [
              { guard: 'asksAgainOnVoteTimeout', target: 'follower.preVoting', actions: 'leaveOffice' },
              { guard: 'stepsDownOnVoteTimeout', target: 'follower', actions: 'leaveOffice' },
              { target: 'candidate', reenter: true, actions: 'standForElection' },
            ],
          },
          states: {
            persistingVote: {
              on: {
                'hardState.durable': [
                  { guard: 'candidacyIsDurable', target: 'requestingVotes', actions: 'releaseOutbox' },
                  { actions: 'releaseOutbox' },
                ],
              },
            },
            requestingVotes: {
              entry: 'requestVotes',
              always: { guard: 'voteIsWon', target: '#node.active.leader' },
              after: { ownVotePromised: { actions: 'grantSelf' } },
              on: {
                'vote.answered': [
                  { guard: 'answerIsStale' },
                  { guard: 'answerDeposes', target: '#node.active.follower', actions: 'leaveOffice' },
                  { actions: 'countAnswer' },
                ],
              },
            },
          },
        },

        leader: {
          initial: 'establishing',
          entry: ['takeOffice', 'welcomeFollowers', 'enterLeader', 'appendFirstEntry', 'tellLeading'],
          invoke: { src: 'timer', id: 'stepDownTimer', input: timers.stepDown },
          on: {
            propose: { actions: 'appendProposals' },
            transfer: { actions: 'answerTransfer' },
            read: { actions: 'takeReads' },
            'rpc.read_index': { actions: 'serveReadIndex' },
            'log.durable': { actions: ['settleAcks', 'settleReset', 'countBallots'] },
            'replica.matched': { guard: 'isOfThisTerm', actions: 'countBallots' },
            change: { actions: 'takeChange' },
            'follower.roused': { guard: 'isOfThisTerm', actions: 'armStepDownTimer' },
            'followers.due': { guard: 'isOfThisTerm', actions: ['dismissFollowers', 'welcomeFollowers'] },
            'change.left': { guard: 'isOfThisTerm', target: 'follower', actions: 'leaveOffice' },
            'round.answered': { actions: 'countRound' },
            'round.retry': { actions: 'retryRound' },
            'timer.stepDown': [
              { guard: 'quorumIsLost', target: 'follower', actions: 'leaveOffice' },
              { guard: 'quorumIsLate', actions: ['giveOneRound', 'checkAgainSoon'] },
              { actions: ['recordIdentities', 'sweepLeavers', 'watchLag', 'giveWay'] },
            ],
          },
          states: {
            establishing: {
              always: { guard: 'isEstablished', target: 'serving' },
            },
            serving: {
              entry: 'startRound',
              on: {
                transfer: [
                  { guard: 'transferStarts', target: 'transferring', actions: 'startTransfer' },
                  { actions: 'answerTransfer' },
                ],
              },
            },
            // Replication, heartbeats, check-quorum and reads by index go on; nothing new is appended.
            transferring: {
              initial: 'catchingUp',
              on: { propose: { actions: 'refuseProposals' }, change: { actions: 'refuseChange' } },
              after: { electionTimeout: { target: 'serving', actions: 'resumeOffice' } },
              states: {
                catchingUp: { always: { guard: 'targetHasEverything', target: 'told' } },
                told: {
                  entry: 'sendTimeoutNow',
                  on: {
                    'transfer.refused': {
                      guard: 'isOfThisTransfer',
                      target: '#node.active.leader.serving',
                      actions: 'resumeOffice',
                    },
                  },
                },
              },
            },
          },
        },
      },
    },

    error: {
      entry: ['leaveOffice', 'enterErrorRole', 'enterError', 'announceFailure'],
      on: { shutdown: { target: 'shuttingDown' } },
    },

    shuttingDown: {
      initial: 'sayingFarewell',
      entry: ['leaveOffice', 'enterShuttingDown'],
      states: {
        sayingFarewell: {
          always: { guard: 'saysNothing', target: 'draining' },
          after: { electionTimeout: { target: 'draining' } },
          on: { 'farewell.said': { target: 'draining' } },
        },
        draining: {
          entry: 'drain',
          after: { drainPatience: { target: 'closingStore' } },
          on: { 'applyQueue.stopped': { target: 'closingStore' } },
        },
        closingStore: {
          entry: 'closeStore',
          after: { storePatience: { target: '#node.shutdown', actions: 'noteStalledStore' } },
          on: { 'store.closed': { target: '#node.shutdown' } },
        },
      },
    },

    shutdown: {
      type: 'final',
      entry: ['enterShutdown', 'endEverything'],
    },
  },
})

quick(nodeMachine)
