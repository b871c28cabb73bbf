// How a node comes up: log, snapshot, consistency, hard state, group (braft NodeImpl::init, in its order).

import { electsItself } from '../../rules/election.ts'
import { owesVoteForMs } from '../../rules/lease.ts'
import {
  findInconsistency,
  type RecoveredLog,
  type RecoveredSnapshot,
  recoverConfiguration,
  recoverHardState,
} from '../../rules/recovery.ts'
import { configurationOf, type Identity } from '../../rules/types.ts'
import type { Reply } from '../../transport/rpc/peer-rpc.ts'
import type { LogPort } from '../log.machine.ts'
import { lacksPayload } from '../snapshot/payload.ts'
import { noteMembership } from './node.configuration.ts'
import type { NodeCore } from './node.core.ts'
import { rpcEvent } from './node.rpc.ts'
import { noteFiles } from './node.witness.ts'

export function takeLog(core: NodeCore, port: LogPort): void {
  if (port.log === null || port.store === null || port.stored === null)
    throw new Error('The log opened without content.')
  core.attachLog(port.log, port.store, port.stored)
}

/** `snapshot.loaded` follows when the state is that of the newest snapshot, or there is none. */
export function loadSnapshot(core: NodeCore): void {
  core.life.step = 'loadingSnapshot'
  core.toSnapshots({ type: 'open' })
}

function recoveredSnapshot({ snapshots }: NodeCore): RecoveredSnapshot | null {
  if (snapshots.newest === null) return null
  const { meta } = snapshots.newest
  const id = { index: meta.lastIncludedIndex, term: meta.lastIncludedTerm }
  return { id, configuration: configurationOf(meta) }
}

function recoveredLog(core: NodeCore): RecoveredLog {
  const { log } = core
  return { firstIndex: log.firstIndex, lastLogId: log.lastLogId, configuration: log.configurations.newest() }
}

/** Null when log and snapshot fit together. */
export function inconsistency(core: NodeCore): string | null {
  return findInconsistency(recoveredLog(core), recoveredSnapshot(core))
}

/**
 * Term, vote and configuration as the rules recover them. A repaired record is written before the node joins its
 * group; the waiting time that a vote or an acknowledgement of an earlier life promised to a leader begins again now,
 * unless this is the first start (trap T2).
 */
export function recover(core: NodeCore): void {
  core.life.step = 'loadingMeta'
  const recovered = recoverHardState(core.stored?.hardState ?? null, core.log.lastLogId.term)
  core.configuration = recoverConfiguration(
    recoveredLog(core),
    recoveredSnapshot(core),
    core.input.initialConfiguration,
  )
  if (core.configuration.peers.length === 0 && core.log.lastIndex > 0) {
    core.logger.warn(
      { group: core.group },
      'The log holds no configuration: this member waits to be contacted.',
    )
  }
  core.membership.sees(core.input.initialConfiguration, core.id)
  for (const earlier of core.log.configurations.all()) core.membership.sees(earlier, core.id)
  noteMembership(core)
  noteFiles(core)
  sayWhoIsInForce(core)
  core.restoreHardState(recovered.state)
  if (!recovered.firstStart) core.following.lease = { lastLeader: null, lastContactMs: core.clock.nowMs() }
  if (!recovered.repaired) return
  core.logger.warn(
    { group: core.group, term: core.term },
    'Term and vote were lost; continuing in a newer term.',
  )
  core.adopt(core.term, null)
}

/** Members that are asked for and not in force would mislead whoever reads the command that started this process. */
function sayWhoIsInForce({ group, configuration, logger, input: { initialConfiguration } }: NodeCore): void {
  const given = [...initialConfiguration.peers].sort().join()
  const inForce = [...configuration.peers].sort().join()
  if (given === '' || given === inForce) return
  logger.warn(
    { group, given: initialConfiguration.peers, inForce: configuration.peers },
    `Started with peers ${given}, but ${inForce || 'nobody'} of the log is in force: the given ones count at a first start only.`,
  )
}

/** From here on requests of other members reach this node. */
export function joinGroup(core: NodeCore): void {
  core.life.step = 'joiningGroup'
  const { identity } = core
  core.life.route = core.input.join((request, respond) => {
    const reply = signed(respond, identity, core, request.method === 'heartbeat')
    if (core.life.self === null || core.gone)
      reply({ ok: false, error: { code: 'EINVAL', message: 'The node is closed.' } })
    else core.send(rpcEvent(request, reply, core.clock.nowMs()))
  })
}

/** Every answer says whose files it speaks of, and, where it matters, whether they may grow and what they lack (trap T32). */
function signed(respond: Reply, identity: Identity, core: NodeCore, isHeartbeat: boolean): Reply {
  return (outcome) => {
    if (!outcome.ok) return respond(outcome)
    const { isReadonly } = core.membership
    if (isHeartbeat) core.following.saidReadonly = isReadonly
    const readonly = isReadonly ? { readonly: true } : {}
    const withheld = lacksPayload(core) ? { withheld: true } : {}
    const { response } = outcome
    const said =
      identity === 0
        ? { ...response, ...readonly, ...withheld }
        : { identity, ...response, ...readonly, ...withheld }
    respond({ ok: true, response: said })
  }
}

/**
 * The start is over, but for a group of one that elects itself: it is told when it leads, so that nobody meets it
 * without a leader. A vote that is still promised to an earlier life may take its time.
 */
export function tellStarted(core: NodeCore): void {
  const owes = owesVoteForMs(core.following.lease, core.leaseTerms, core.clock.nowMs()) > 0
  if (!electsItself(core.configuration, core.id, lacksPayload(core)) || owes) core.life.tellStarted(null)
}
