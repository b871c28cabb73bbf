// Machines of XState in a group: any machine replicated.

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
