// What `quorate/testing` offers, by name: a simulated group for testing a state machine, random campaigns, the check
// of histories, and the suites that a storage or a bus of one's own has to pass.
// How to use it: docs/testing-your-state-machine.md.

export {
  type RunOptions as CampaignOptions,
  runPlan as runCampaign,
  type SeedFailure as CampaignFailure,
  type SeedResult as CampaignResult,
} from './simulation/campaign.ts'
export type { CrashPoint } from './simulation/crash-points.ts'
export type { ProposalAnswer, QueryAnswer } from './simulation/direct-calls.ts'
export type { FailPoint, FailTimes, Release } from './simulation/disk-faults.ts'
export type { Damage, StoreName } from './simulation/disk-image.ts'
export type { Fault, FaultEpisode } from './simulation/faults.ts'
export type { ClientOutcome, Operation } from './simulation/history.ts'
export { History } from './simulation/history.ts'
export type { HeldMessage, Hold, HoldFilter } from './simulation/hold.ts'
export { type InvariantName, InvariantViolation } from './simulation/invariants.ts'
export type { KvCommand, KvResult } from './simulation/kv-model.ts'
export {
  checkLinearizability,
  type LinearizabilityOptions,
  type Verdict,
} from './simulation/linearizability.ts'
export type { LinkSettings } from './simulation/link.ts'
export type { MessageKind } from './simulation/message-kind.ts'
export { printScript, shrink } from './simulation/nemesis.ts'
export { type RunningFaults, startFaults, worldOf } from './simulation/random-faults.ts'
export type { ClientAnswer, SimClient } from './simulation/sim-client.ts'
export type { DamagePlace, DiskLatency } from './simulation/sim-disk.ts'
export type { Latency } from './simulation/sim-random.ts'
export { createSimulation, type Simulation } from './simulation/simulation.ts'
export type { DiskControl } from './simulation/simulation-faults.ts'
export type {
  DurableState,
  SimulatedNode,
  SimulatedStatus,
  SimulationOptions,
} from './simulation/simulation-options.ts'
export {
  drawSwarm as drawPlan,
  PROFILES,
  type Profile,
  type SwarmInput as PlanInput,
  type SwarmPlan as Plan,
} from './simulation/swarm.ts'
export {
  type StorageCase,
  type StorageUnderTest,
  storageCases as storageConformance,
} from './testing/storage-conformance.ts'
export {
  type MakeTransports,
  type TransportBed,
  type TransportBedOptions,
  type TransportCase,
  transportConformance,
} from './testing/transport-conformance.ts'
