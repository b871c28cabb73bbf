// What `quorate/testing` offers, by name: a simulated group for testing a state machine, random campaigns, the check
// of histories, and the suites that a storage or a bus of one's own has to pass.
// How to use it: docs/testing-your-state-machine.md.

export type { HeldMessage, Hold, HoldFilter } from './simulation/bus/hold.ts'
export type { LinkSettings } from './simulation/bus/link.ts'
export type { MessageKind } from './simulation/bus/message-kind.ts'
export {
  type RunOptions as CampaignOptions,
  runPlan as runCampaign,
  type SeedFailure as CampaignFailure,
  type SeedResult as CampaignResult,
} from './simulation/campaign/campaign.ts'
export type { Fault, FaultEpisode } from './simulation/campaign/faults.ts'
export { printScript, shrink } from './simulation/campaign/nemesis.ts'
export { type RunningFaults, startFaults, worldOf } from './simulation/campaign/random-faults.ts'
export {
  drawSwarm as drawPlan,
  PROFILES,
  type Profile,
  type SwarmInput as PlanInput,
  type SwarmPlan as Plan,
} from './simulation/campaign/swarm.ts'
export type {
  ChangeAnswer,
  ProposalAnswer,
  QueryAnswer,
  SnapshotAnswer,
  TransferAnswer,
} from './simulation/direct-calls.ts'
export type { CrashPoint } from './simulation/disk/crash-points.ts'
export type { FailPoint, FailTimes, Release } from './simulation/disk/disk-faults.ts'
export type { Damage, StoreName } from './simulation/disk/disk-image.ts'
export type { DamagePlace, DiskLatency } from './simulation/disk/sim-disk.ts'
export type { ClientOutcome, Operation } from './simulation/history/history.ts'
export { History } from './simulation/history/history.ts'
export type { KvCommand, KvResult } from './simulation/history/kv-model.ts'
export {
  checkLinearizability,
  type LinearizabilityOptions,
  type Verdict,
} from './simulation/history/linearizability.ts'
export { type InvariantName, InvariantViolation } from './simulation/invariants/invariants.ts'
export type { ClientAnswer, SimClient } from './simulation/sim-client.ts'
export { createSimulation, type Simulation } from './simulation/simulation.ts'
export type { DiskControl } from './simulation/simulation-faults.ts'
export type {
  DurableState,
  SimulatedNode,
  SimulatedStatus,
  SimulationOptions,
} from './simulation/simulation-options.ts'
export type { MachinePace } from './simulation/slow-machine.ts'
export type { Latency } from './simulation/time/sim-random.ts'
export { snapshotCases as snapshotConformance } from './testing/snapshot-conformance.ts'
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
