// The log actor: opens the group on disk, takes appends and truncations into memory and onto the disk queue, and says
// what has become durable. The only writer of the log.

import { type AnyActorRef, setup } from 'xstate'
import { RaftLog } from '../log/raft-log.ts'
import type { LogEntry, LogIndex } from '../rules/types.ts'
import type { CacheBudget } from '../runtime/cache-budget.ts'
import { toError } from '../runtime/errors.ts'
import {
  type GroupStore,
  type OpenGroupResult,
  type Storage,
  StorageError,
  type StoredGroup,
} from '../storage/storage.ts'

export interface LogInput {
  readonly group: string
  readonly storage: Storage
  readonly maxCachedBytes: number
  /** Shared by all groups of the process. */
  readonly caches: CacheBudget
  readonly parent: AnyActorRef
}

/** What the log actor holds. Readers keep a reference to `log`; nobody else writes. */
export interface LogPort {
  readonly input: LogInput
  log: RaftLog | null
  store: GroupStore | null
  stored: StoredGroup | null
  toJSON(): undefined
}

export type LogActorEvent =
  | { readonly type: 'disk.opened'; readonly result: OpenGroupResult }
  | { readonly type: 'append'; readonly entries: readonly LogEntry[] }
  | { readonly type: 'truncateSuffix'; readonly lastKept: LogIndex }
  | { readonly type: 'disk.failed'; readonly error: Error }

const logActor = setup({
  types: { context: {} as { readonly port: LogPort }, events: {} as LogActorEvent, input: {} as LogInput },
  guards: { opened: ({ event }) => event.type === 'disk.opened' && event.result.ok },
  actions: {
    open: ({ context: { port }, self }) =>
      port.input.storage.openGroup(port.input.group, (result) => {
        // The node may have been closed meanwhile.
        if (self.getSnapshot().status === 'active') self.send({ type: 'disk.opened', result })
        else if (result.ok) result.store.close(() => {})
      }),
    take: ({ context: { port }, event, self }) => {
      if (event.type !== 'disk.opened' || !event.result.ok) return
      try {
        port.store = event.result.store
        port.stored = event.result.stored
        const { maxCachedBytes, caches } = port.input
        port.log = new RaftLog(event.result.store, event.result.stored, maxCachedBytes, caches)
        port.store.onFailure((error) => {
          if (self.getSnapshot().status === 'active') self.send({ type: 'disk.failed', error })
        })
        port.input.parent.send({ type: 'log.opened', port })
      } catch (error) {
        self.send({ type: 'disk.failed', error: toError(error) })
      }
    },
    append: ({ context: { port }, event, self }) => {
      if (event.type !== 'append' || port.log === null || port.store === null) return
      const { log, store } = port
      const write = log.append(event.entries)
      store.append(event.entries, (error) => {
        if (error !== null) return self.send({ type: 'disk.failed', error })
        log.markDurable(write)
        port.input.parent.send({ type: 'log.durable' })
      })
    },
    truncate: ({ context: { port }, event, self }) => {
      if (event.type !== 'truncateSuffix' || port.log === null || port.store === null) return
      port.log.truncateSuffix(event.lastKept)
      port.store.truncateSuffix(event.lastKept, (error) => {
        if (error !== null) self.send({ type: 'disk.failed', error })
      })
    },
    /** What could not be understood is not kept open. */
    release: ({ context: { port } }) => {
      if (port.log === null) port.store?.close(() => {})
    },
    report: ({ context: { port }, event }) =>
      port.input.parent.send({ type: 'log.failed', error: failureOf(event) }),
  },
})

export const logMachine = logActor.createMachine({
  id: 'log',
  context: ({ input }) => ({
    port: { input, log: null, store: null, stored: null, toJSON: () => undefined },
  }),
  initial: 'opening',
  states: {
    opening: {
      entry: 'open',
      on: { 'disk.opened': [{ guard: 'opened', target: 'ready', actions: 'take' }, { target: 'failed' }] },
    },
    ready: {
      on: {
        append: { actions: 'append' },
        truncateSuffix: { actions: 'truncate' },
        'disk.failed': { target: 'failed' },
      },
    },
    failed: { entry: ['release', 'report'] },
  },
})

function failureOf(event: LogActorEvent): Error {
  if (event.type === 'disk.failed') return event.error
  if (event.type === 'disk.opened' && !event.result.ok) return event.result.error
  return new StorageError('IO', 'The log failed.')
}
