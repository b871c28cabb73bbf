// For applications made of XState actors: any machine replicated, a node as one more actor, and actors that run on the leader alone.

export type { CopyChange, Leadership } from './embedding/leader-copy.ts'
export type {
  ApplyCall,
  CallId,
  RaftAnswered,
  RaftApplied,
  RaftCall,
  RaftNews,
  RaftNodeEvent,
  RaftNodeInput,
  RaftNodeSnapshot,
  RaftNodeView,
  RaftRefused,
  RaftSaved,
  RaftTransferred,
  ReadCall,
  ReplyTo,
  TransferCall,
} from './embedding/raft-node.events.ts'
export { type RaftNodeLogic, raftNode } from './embedding/raft-node.ts'
export { type LeaderActor, type RunAsLeaderOptions, runAsLeader } from './embedding/run-as-leader.ts'
export type { Asked, SendOptions, SentEvent } from './replicated/handles.ts'
export type { Verdict } from './replicated/replica.ts'
export {
  type Actors,
  type InstanceRef,
  type OldInstance,
  type PreviousMachine,
  type Replicated,
  type ReplicateOptions,
  replicate,
} from './replicated/replicate.ts'
export { compareTokens, type FencingToken } from './rules/tenure.ts'
