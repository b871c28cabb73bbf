// The narrow door of replication: all that replicators and heartbeats need of the node they work for.

import type { RaftLog } from '../../log/raft-log.ts'
import type { Tuning } from '../../options.ts'
import type { LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { PeerRpc, RpcOutcome } from '../../transport/rpc/peer-rpc.ts'
import type { RequestOf, ResponseOf, RpcMethod } from '../../transport/wire/messages/registry.ts'

import type { FileService } from '../snapshot/file-service.ts'

/** What replication tells the node. */
export type ReplicationReport =
  | { readonly type: 'replica.matched'; readonly term: Term }
  | { readonly type: 'follower.roused'; readonly term: Term }
  | { readonly type: 'term.higher'; readonly term: Term }
  | { readonly type: 'fatal'; readonly error: Error }

export interface ReplicationWorld {
  readonly group: string
  readonly clock: Clock
  readonly tuning: Tuning
  readonly heartbeatMs: number
  readonly log: RaftLog
  readonly commitIndex: LogIndex
  readonly logger: Logger
  /** Snapshots for followers that need what is compacted. */
  readonly files: Pick<FileService, 'offer' | 'release'>
  readonly input: {
    readonly rpc: Pick<PeerRpc, 'maxFrameBytes' | 'sharesProcess' | 'heartbeat' | 'askToSleep'>
  }
  /** Leaves when what it says is durable. */
  call<M extends RpcMethod>(
    to: PeerId,
    method: M,
    request: RequestOf<M>,
    timeoutMs: number,
    done: (outcome: RpcOutcome<ResponseOf<M>>) => void,
  ): void
  send(report: ReplicationReport): void
}
