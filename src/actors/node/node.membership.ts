// Changes of membership on the node's side: the door through which their actor sees the leader, and followers that come and
// go with the configuration in force.

import type { AnyActorRef } from 'xstate'
import type { QuorateError } from '../../errors.ts'
import { firstProbe } from '../../rules/progress.ts'
import { targets } from '../../rules/quorum.ts'
import type { Configuration, PeerId } from '../../rules/types.ts'
import type { AskedChange, ChangeReport, ChangeWorld } from '../membership/change-world.ts'
import { PeerProgress } from '../replication/peer-progress.ts'
import { appendConfiguration } from './node.appending.ts'
import type { NodeCore } from './node.core.ts'
import { isEstablished } from './node.leader.ts'
import { refusal } from './node.refusals.ts'
import { noteWhatIsSent } from './node.witness.ts'
import type { Followership, Office } from './office.ts'

/** Election timeouts for which a member that has left is still told so. */
const FAREWELL_TIMEOUTS = 3

/** The node as its configuration changes see it, in one leadership. */
export class LeaderDoor implements ChangeWorld {
  readonly #core: NodeCore
  readonly #office: Office

  constructor(core: NodeCore, office: Office) {
    this.#core = core
    this.#office = office
  }

  get group(): string {
    return this.#core.group
  }

  get id(): PeerId {
    return this.#core.id
  }

  get term(): number {
    return this.#office.term
  }

  get clock(): ChangeWorld['clock'] {
    return this.#core.clock
  }

  get tuning(): ChangeWorld['tuning'] {
    return this.#core.tuning
  }

  get heartbeatMs(): number {
    return this.#core.heartbeatMs
  }

  get logger(): ChangeWorld['logger'] {
    return this.#core.logger
  }

  get configuration(): ChangeWorld['configuration'] {
    return this.#core.configuration
  }

  get commitIndex(): number {
    return this.#core.commitIndex
  }

  get lastIndex(): number {
    return this.#core.log.lastIndex
  }

  get readiness(): ChangeWorld['readiness'] {
    const { configuration, commitIndex } = this.#core
    return {
      isEstablished: isEstablished(this.#core),
      configurationIndex: configuration.id.index,
      commitIndex,
    }
  }

  progressOf(peer: PeerId): PeerProgress | undefined {
    return this.#office.followers.get(peer)?.progress
  }

  readmit(peers: readonly PeerId[]): void {
    this.#office.readmit(peers)
  }

  propose(configuration: Configuration): void {
    // What comes late is nobody's: this leadership may have ended meanwhile (trap T77).
    if (this.#core.office === this.#office) appendConfiguration(this.#core, configuration)
  }

  beat(): void {
    for (const { heartbeat } of this.#office.followers.values()) heartbeat.send({ type: 'beat' })
  }

  error(...args: Parameters<ChangeWorld['error']>): QuorateError {
    return this.#core.error(...args)
  }

  shelter(run: () => unknown): void {
    this.#core.shelter(run)
  }

  send(report: ChangeReport): void {
    this.#core.send(report)
  }
}

export function takeChange(core: NodeCore, asked: AskedChange): void {
  core.office?.change.actor?.send({ type: 'ask', asked })
}

export function refuseChange(core: NodeCore, asked: AskedChange): void {
  const error = refusal(core)
  core.shelter(() => asked.settle({ ok: false, error }))
}

/** A leader that leaves tells who waits for a change what is true: before anything was appended, nothing will happen. */
export function abandonChange(core: NodeCore, { change }: Office, reason: string): void {
  const { asked } = change
  if (asked === null) return
  change.asked = null
  const begun = change.stage !== 'catchingUp'
  const what = begun
    ? 'before the change of the members was finished: the next leader finishes it or drops it; ask for the members'
    : 'before the members were changed: they stay as they are'
  const error = core.error('LEADERSHIP_LOST', `Member ${core.id} lost its leadership (${reason}) ${what}.`, {
    outcome: begun ? 'unknown' : 'not-applied',
    retryable: true,
  })
  core.shelter(() => asked.settle({ ok: false, error }))
}

/** Who is sent the log: whom the configuration in force names, who is caught up, and who is to know that he has left. */
function wanted(core: NodeCore, { change }: Office): ReadonlySet<PeerId> {
  const peers = new Set([...targets(core.configuration), ...change.guests])
  peers.delete(core.id)
  return peers
}

/** Begins to send the log to whoever is to have it and does not get it yet. */
export function welcomeFollowers(
  core: NodeCore,
  office: Office,
  spawn: (progress: PeerProgress) => Followership,
): void {
  const nowMs = core.clock.nowMs()
  for (const peer of wanted(core, office)) {
    const known = office.followers.get(peer)
    if (known !== undefined) {
      noteWhatIsSent(core, office, known.progress)
      continue
    }
    const progress = new PeerProgress(peer, firstProbe(core.log.lastIndex), nowMs)
    progress.speaksOf(core.candidacy.voters.get(peer) ?? 0)
    noteWhatIsSent(core, office, progress)
    office.followers.set(peer, spawn(progress))
  }
}

/** Returns the actors of those who are not sent the log any more. */
export function dismissFollowers(core: NodeCore): readonly AnyActorRef[] {
  const { office } = core
  if (office === null) return []
  const stay = wanted(core, office)
  const gone = [...office.followers].filter(([peer]) => !stay.has(peer))
  for (const [peer] of gone) {
    office.followers.delete(peer)
    core.files.release(peer)
  }
  return [
    ...office.takeRetired(),
    ...gone.flatMap(([, { replicator, heartbeat }]) => [replicator, heartbeat]),
  ]
}

/** At check-quorum: whoever has left and knows it, or does not answer, is let go. */
export function sweepLeavers(core: NodeCore): void {
  const { office, clock, commitIndex, tuning, term } = core
  const patienceMs = FAREWELL_TIMEOUTS * tuning.electionTimeoutMs
  const progressOf = (peer: PeerId): PeerProgress | undefined => office?.followers.get(peer)?.progress
  if (office?.change.sweep(clock.nowMs(), commitIndex, patienceMs, progressOf) === true)
    core.send({ type: 'followers.due', term })
}
