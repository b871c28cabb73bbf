// The log actor: opens the group on disk, takes appends, truncations and resets into memory and onto the disk queue, and says
// what has become durable. The only writer of the log.

import { type AnyActorRef, enqueueActions, sendTo, setup } from 'xstate'
import { RaftLog } from '../log/raft-log.ts'
import type { LogEntry, LogIndex, Term } from '../rules/types.ts'
import type { CacheBudget } from '../runtime/cache-budget.ts'
import { toError } from '../runtime/errors.ts'
import { passes } from '../runtime/trace-points.ts'
import {
  type GroupStore,
  type OpenGroupResult,
  type Storage,
  type StorageDone,
  StorageError,
  type StoredGroup,
} from '../storage/storage.ts'
import { quick } from './quick.ts'

export interface LogInput {
  readonly group: string
  readonly storage: Storage
  readonly maxCachedBytes: number
  /** Shared by all groups of the process. */
  readonly caches: CacheBudget
  /** The first entry that somebody is about to ask for. */
  readonly neededFrom: (firstCachedIndex: LogIndex) => LogIndex
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
  /** Up to one past the end; nothing when the log begins there or later. */
  | { readonly type: 'truncatePrefix'; readonly firstKept: LogIndex }
  | { readonly type: 'reset'; readonly nextIndex: LogIndex; readonly termBefore: Term }
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
        const { maxCachedBytes, caches, neededFrom } = port.input
        port.store.onFailure((error) => fail(self, error))
        port.log = new RaftLog(event.result.store, event.result.stored, maxCachedBytes, {
          caches,
          neededFrom,
        })
      } catch (error) {
        self.send({ type: 'disk.failed', error: toError(error) })
      }
    },
    append: ({ context: { port }, event, self }) => {
      if (event.type !== 'append' || port.log === null || port.store === null) return
      const { log, store } = port
      const write = log.append(event.entries)
      store.append(event.entries, (error) => {
        if (error !== null) return fail(self, error)
        log.markDurable(write)
        passes('durable')
        const { parent } = port.input
        if (parent.getSnapshot().status === 'active') parent.send({ type: 'log.durable' })
      })
    },
    truncate: ({ context: { port }, event, self }) => {
      if (event.type !== 'truncateSuffix' || port.log === null || port.store === null) return
      port.log.truncateSuffix(event.lastKept)
      port.store.truncateSuffix(event.lastKept, orFail(self))
    },
    compact: ({ context: { port }, event, self }) => {
      if (event.type !== 'truncatePrefix' || port.log === null || port.store === null) return
      const { log, store } = port
      if (event.firstKept <= log.firstIndex) return
      log.truncatePrefix(event.firstKept)
      store.truncatePrefix(event.firstKept, log.termAt(event.firstKept - 1), orFail(self))
    },
    reset: ({ context: { port }, event, self }) => {
      if (event.type !== 'reset' || port.log === null || port.store === null) return
      port.log.reset(event.nextIndex, event.termBefore)
      port.store.reset(event.nextIndex, event.termBefore, orFail(self))
    },
    /** What could not be understood is not kept open. */
    release: ({ context: { port } }) => {
      if (port.log === null) port.store?.close(() => {})
    },
    // Built-in, so that the node takes it when this actor is through with its own step, and not in the middle of it.
    tellOpened: enqueueActions(({ context: { port }, enqueue }) => {
      if (port.log !== null) enqueue.sendTo(port.input.parent, { type: 'log.opened', port })
    }),
    report: sendTo(
      ({ context: { port } }) => port.input.parent,
      ({ event }) => ({ type: 'log.failed', error: failureOf(event) }),
    ),
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
      on: {
        'disk.opened': [
          { guard: 'opened', target: 'ready', actions: ['take', 'tellOpened'] },
          { target: 'failed' },
        ],
      },
    },
    ready: {
      on: {
        append: { actions: 'append' },
        truncateSuffix: { actions: 'truncate' },
        truncatePrefix: { actions: 'compact' },
        reset: { actions: 'reset' },
        'disk.failed': { target: 'failed' },
      },
    },
    failed: { entry: ['release', 'report'] },
  },
})

quick(logMachine)

/** For what has to succeed and is told to nobody when it does. */
function orFail(self: AnyActorRef): StorageDone {
  return (error) => {
    if (error !== null) fail(self, error)
  }
}

/** The disk may answer when the node has long been closed. */
function fail(self: AnyActorRef, error: Error): void {
  if (self.getSnapshot().status === 'active') self.send({ type: 'disk.failed', error })
}

function failureOf(event: LogActorEvent): Error {
  if (event.type === 'disk.failed') return event.error
  if (event.type === 'disk.opened' && !event.result.ok) return event.result.error
  return new StorageError('IO', 'The log failed.')
}
