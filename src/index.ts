// The public surface, by name.

export type {
  Applied,
  ApplyOptions,
  ChangeOptions,
  CommittedCommand,
  ConfigurationInfo,
  ElectionTimeoutOptions,
  Host,
  HostOptions,
  LeadershipInfo,
  MemberSpec,
  NodeEvents,
  RaftNode,
  ReadLevel,
  ReadOptions,
  ResetOptions,
  RoleChange,
  SnapshotInfo,
  StartNodeOptions,
  TransferOptions,
} from './api.ts'
export { isQuorateError, type Outcome, QuorateError, type QuorateErrorCode } from './errors.ts'
export { openHost } from './host/open-host.ts'
export type { HostFigures, NodeFigures, Observed } from './observability/figures.ts'
export { type HttpOptions, type HttpServer, serveHttp } from './observability/http/serve-http.ts'
export { type MeterLike, observeMetrics } from './observability/metrics/opentelemetry.ts'
export { type BootstrapOptions, bootstrap } from './offline/bootstrap.ts'
export {
  type RemovedGroupData,
  type RemoveGroupDataOptions,
  removeGroupData,
} from './offline/remove-group-data.ts'
export type { Tuning, TuningInput } from './options.ts'
export type { ChangeStage, MemberRole, Membership } from './rules/change.ts'
export type { Configuration, LogIndex, PeerId, Priorities, SnapshotMeta, Term } from './rules/types.ts'
export type { Clock } from './runtime/clock.ts'
export type { Logger } from './runtime/logger.ts'
export type { Random } from './runtime/random.ts'
export type { ThrottleLimits } from './runtime/snapshot-throttle.ts'
export type {
  AppliedPosition,
  BackgroundSave,
  LeaderChange,
  ProposedOutcome,
  SnapshotContent,
  SnapshotFileInfo,
  SnapshotFileInput,
  SnapshotReader,
  SnapshotWriter,
  StateMachine,
  StateMachinePort,
} from './state-machine.ts'
export { Refused } from './state-machine.ts'
export type {
  AddingStatus,
  ChangeStatus,
  NodeStatus,
  ReplicatorStatus,
  Role,
  SettingsStatus,
  SnapshotStatus,
} from './status.ts'
export {
  MemoryDisk,
  MemoryStorage,
  type MemoryStorageOptions,
} from './storage/memory/memory-storage.ts'
export { openSqliteStorage, type SqliteStorageOptions } from './storage/sqlite/sqlite-storage.ts'
export { type GroupStore, type Storage, StorageError } from './storage/storage.ts'
export { defaultMemoryBus, MemoryBus } from './transport/memory/memory-bus.ts'
export { connectNats, type NatsOptions, type NatsTlsOptions } from './transport/nats/connect-nats.ts'
export type { Transport } from './transport/transport.ts'
export type { TraceContext } from './transport/wire/envelope.ts'
