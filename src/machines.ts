// State machines that Quorate brings along.

export { KeyValueStore, type KeyValueStoreOptions, type KvWatchOptions } from './machines/kv.ts'
export {
  type KvAnswer,
  type KvChange,
  type KvChanges,
  type KvCommand,
  type KvCompacted,
  type KvLease,
  type KvPage,
  type KvQuery,
  type KvRefused,
  type KvResult,
  MAX_KEY_LENGTH,
  MAX_TTL_MS,
  MAX_VALUE_LENGTH,
} from './machines/kv-commands.ts'
