// What a replicator does for a follower that needs what is compacted (braft Replicator::_install_snapshot): offers it a
// snapshot, again and again until it has it, and goes on behind it. What the follower fetches it asks for by itself.

import type { AnyActorRef } from 'xstate'
import type { Term } from '../../rules/types.ts'
import type { SnapshotRecord, SnapshotResult } from '../../storage/snapshot-store.ts'
import type { RpcOutcome } from '../../transport/rpc/peer-rpc.ts'
import type { InstallSnapshotResponse } from '../../transport/wire/messages/registry.ts'
import type { PeerProgress } from './peer-progress.ts'
import type { ReplicationWorld } from './replication-world.ts'

export type OfferEvent =
  | {
      readonly type: 'snapshot.opened'
      readonly offer: number
      readonly result: SnapshotResult<SnapshotRecord>
    }
  | {
      readonly type: 'offer.answered'
      readonly offer: number
      readonly sentMs: number
      readonly outcome: RpcOutcome<InstallSnapshotResponse>
    }

interface Follower {
  readonly core: ReplicationWorld
  readonly progress: PeerProgress
  readonly term: Term
}

export class Offering {
  #record: SnapshotRecord | null = null
  #offers = 0
  /** The snapshot that the follower said it had before it asked for the same again; 0: none. */
  #installedIndex = 0

  /** Asks for the snapshot to offer. */
  open({ core, progress }: Follower, self: AnyActorRef): void {
    const offer = ++this.#offers
    progress.reset()
    core.files.offer(progress.peer, (result) => {
      if (self.getSnapshot().status === 'active') self.send({ type: 'snapshot.opened', offer, result })
    })
  }

  isStale(event: OfferEvent): boolean {
    return event.offer !== this.#offers
  }

  take(event: OfferEvent): void {
    if (event.type === 'snapshot.opened' && event.result.ok) this.#record = event.result.value
  }

  send({ core, progress, term }: Follower, self: AnyActorRef): void {
    if (this.#record === null) return
    const { meta, takenAtMs } = this.#record
    // A witness gets what it stands for, and none of it.
    const withheld = progress.isWitness
    const bytes = withheld ? 0 : this.#record.bytes
    const offer = ++this.#offers
    const sentMs = core.clock.nowMs()
    progress.installing ??= { snapshotIndex: meta.lastIncludedIndex, doneBytes: 0, totalBytes: bytes }
    const { lastIncludedIndex, lastIncludedTerm, peers, oldPeers } = meta
    const request = {
      term,
      ...{ lastIncludedIndex, lastIncludedTerm },
      peers: [...peers],
      oldPeers: [...oldPeers],
      identities: Object.entries(meta.identities ?? {}),
      newcomers: Object.entries(meta.newcomers ?? {}),
      learners: [...(meta.learners ?? [])],
      witnesses: [...(meta.witnesses ?? [])],
      priorities: Object.entries(meta.priorities ?? {}),
      bytes,
      files: withheld ? 0 : this.#record.files.length,
      takenAtMs: Math.max(0, Math.trunc(takenAtMs)),
      withheld,
    }
    core.call(progress.peer, 'install_snapshot', request, core.tuning.appendTimeoutMs, (outcome) => {
      if (self.getSnapshot().status === 'active')
        self.send({ type: 'offer.answered', offer, sentMs, outcome })
    })
  }

  /** The follower has it, or something newer. */
  hasInstalled(event: OfferEvent): boolean {
    return event.type === 'offer.answered' && event.outcome.ok && event.outcome.response.state === 'installed'
  }

  /** It said so before, and its log did not go on from there: asking again at once would not help it. */
  hasInstalledAgain(event: OfferEvent): boolean {
    return this.hasInstalled(event) && this.#record?.meta.lastIncludedIndex === this.#installedIndex
  }

  /** Not yet. */
  note({ progress }: Follower, event: OfferEvent): void {
    if (event.type !== 'offer.answered' || !event.outcome.ok || this.#record === null) return
    const { doneBytes, totalBytes, identity } = event.outcome.response
    progress.speaksOf(identity)
    this.#installedIndex = 0
    progress.contact(event.sentMs)
    const { meta, bytes } = this.#record
    const wholeBytes = progress.isWitness ? 0 : bytes
    progress.installing = {
      snapshotIndex: meta.lastIncludedIndex,
      doneBytes,
      totalBytes: totalBytes === 0 ? wholeBytes : totalBytes,
    }
  }

  /** It is durable there, and loaded: the log goes on behind it. */
  credit({ core, progress, term }: Follower, event: OfferEvent): void {
    if (event.type !== 'offer.answered' || !event.outcome.ok || this.#record === null) return
    progress.speaksOf(event.outcome.response.identity)
    const { lastIncludedIndex } = this.#record.meta
    this.#installedIndex = lastIncludedIndex
    this.#record = null
    progress.contact(event.sentMs)
    core.files.release(progress.peer)
    const { group, logger } = core
    logger.info(
      { group, peer: progress.peer, index: lastIncludedIndex },
      'A follower has installed a snapshot.',
    )
    if (progress.creditSnapshot(lastIncludedIndex)) core.send({ type: 'replica.matched', term })
  }

  reportNone({ core, progress }: Follower, event: OfferEvent): void {
    if (event.type !== 'snapshot.opened' || event.result.ok) return
    const { group, log, logger } = core
    const missing = { group, peer: progress.peer, nextIndex: progress.nextIndex, firstIndex: log.firstIndex }
    const why = event.result.error.message
    logger.error(
      missing,
      `Member ${progress.peer} of ${group} needs a snapshot, which cannot be opened: ${why}`,
    )
  }
}
