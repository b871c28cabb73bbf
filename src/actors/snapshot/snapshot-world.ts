// The door through which the executor of snapshots sees its node.

import type { RaftLog } from '../../log/raft-log.ts'
import type { Tuning } from '../../options.ts'
import type { LogIndex, PeerId, SnapshotMeta, Term } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { SnapshotThrottle } from '../../runtime/snapshot-throttle.ts'
import type { StateMachine } from '../../state-machine.ts'
import type { Storage } from '../../storage/storage.ts'
import type { PeerRpc, Reply, RpcOutcome } from '../../transport/rpc/peer-rpc.ts'
import type {
  InstallSnapshotResponse,
  RequestOf,
  ResponseOf,
  RpcMethod,
} from '../../transport/wire/messages/registry.ts'
import type { ApplyQueueEvent } from '../apply/apply-queue.events.ts'
import type { Snapshots } from './snapshots.ts'

/** What the executor tells the node. */
export type SnapshotReport =
  /** The state is that of this snapshot; null: there was none when the node started. */
  | { readonly type: 'snapshot.loaded'; readonly meta: SnapshotMeta | null }
  | { readonly type: 'snapshot.saved'; readonly meta: SnapshotMeta }
  /** One was asked for, and nothing is new since the last one (trap T70). */
  | { readonly type: 'snapshot.unchanged' }
  | { readonly type: 'snapshot.failed'; readonly error: Error }

export interface SnapshotWorld {
  readonly group: string
  readonly id: PeerId
  readonly clock: Clock
  readonly logger: Logger
  readonly tuning: Tuning
  readonly stateMachine: StateMachine
  readonly gone: boolean
  readonly term: Term
  readonly commitIndex: LogIndex
  readonly appliedIndex: LogIndex
  readonly hasLog: boolean
  readonly log: Pick<RaftLog, 'durableIndex' | 'withheld'>
  readonly snapshots: Snapshots
  readonly input: {
    readonly storage: Storage
    readonly throttle: SnapshotThrottle
    readonly rpc: Pick<PeerRpc, 'maxFrameBytes'>
  }
  toApplyQueue(event: ApplyQueueEvent): void
  /** Leaves when what it says is durable. */
  call<M extends RpcMethod>(
    to: PeerId,
    method: M,
    request: RequestOf<M>,
    timeoutMs: number,
    done: (outcome: RpcOutcome<ResponseOf<M>>) => void,
  ): void
  answer(reply: Reply, response: InstallSnapshotResponse): void
  send(report: SnapshotReport): void
  shelter(run: () => unknown): void
}
