// What users of a client see.

import type { Applied, ReadLevel } from '../api.ts'
import type { PeerId } from '../rules/types.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import type { Transport } from '../transport/transport.ts'
import type { GroupRoute } from './route-table.ts'
import type { ClientApplyOptions, ClientSession, SessionOptions } from './session.ts'
import type { GroupStatus, StatusOptions } from './status.ts'
import type { Heard, SubscribeOptions } from './subscription.ts'

export interface ClientOptions {
  /** Used, and not closed with the client. */
  readonly transport: Transport
  readonly group: string
  /** Default `quorate`. */
  readonly prefix?: string
  /** How long an operation may take, retries included: 1 to 2,147,483,647. Default 5000. */
  readonly timeoutMs?: number
  /**
   * A leader that answers none of the requests that wait for it for so long (or half of it, at the least) is taken for
   * stuck: all members are asked who leads, and until one says so nothing more is sent. Default 500.
   */
  readonly silenceMs?: number
  /** Shows who asked, in the members' logs. At most 64 characters. Default `client`. */
  readonly name?: string
  /**
   * How many operations, and of how many bytes, may wait for an answer: more are refused as BUSY, at once and not applied. Default
   * 65,536 and 64 MiB.
   */
  readonly maxPending?: number
  readonly maxPendingBytes?: number
  readonly clock?: Clock
  readonly random?: Random
}

export interface ClientReadOptions {
  /** Default `readIndex`. */
  readonly level?: ReadLevel
  /**
   * Who is asked: the leader, or any member, as the bus picks one (of a NATS super-cluster, one in the client's own cluster). A
   * `readIndex` is as fresh from any: that member asks the leader for the index, and answers from its own state. Default:
   * `nearest` for `local`, else `leader`.
   */
  readonly from?: 'leader' | 'nearest'
  /** Ends the waiting. */
  readonly signal?: AbortSignal
}

export interface QuorateClient {
  /**
   * Replicates a command; resolves with what the state machine returned. The command is copied before this returns.
   * Commands of one turn reach the log in order unless one of them has to be tried again.
   *
   * Rejects with a QuorateError: `outcome` is `not-applied` when it was refused until time was up, and `unknown` when
   * a leader may have taken it and no answer came. Such a write is never sent twice.
   */
  apply<Result = unknown>(command: unknown, options?: ClientApplyOptions): Promise<Applied<Result>>
  /**
   * Begins a session, through the log: commands that are sent in it are carried out once each, and sent again until there is an
   * answer. Any number of sessions may be open; a group keeps 10,000 and forgets the one that was used longest ago.
   *
   * @throws QuorateError INVALID for a bad option, and as `apply` does.
   * @example
   * const session = await client.session()
   * await session.apply({ op: 'append', key: 'log', value: 'one,' })
   */
  session(options?: SessionOptions): Promise<ClientSession>
  /** Queries the state machine. Tried again until time is up, since a read changes nothing. */
  read<Value = unknown>(query: unknown, options?: ClientReadOptions): Promise<Value>
  /**
   * The answer to a query, and every other one that takes its place: the first is how it is now. Any member is asked (`nearest`), and
   * another one when that is gone; what comes is never older than what came before. Of answers that follow each other faster than they are
   * taken the newest is told. Nothing is asked for until the next one is wanted.
   *
   * The loop ends with `signal`, or with a QuorateError: what the machine says to the query, UNREACHABLE when nobody answers at first.
   *
   * @example
   * for await (const { value, index } of client.subscribe(['get', 'price'], { signal })) console.log(index, value)
   */
  subscribe<Value = unknown>(
    query: unknown,
    options?: SubscribeOptions,
  ): AsyncIterableIterator<Heard<Value>, undefined>
  /** Who leads, as far as it is known just now; null: nobody does. Asks when no answer has told yet. */
  leader(): Promise<PeerId | null>
  /**
   * Who the members are, and who leads them. No list is needed to begin with, and none has to be kept: it is asked for
   * again when it is older than a second, or when answers say that another one leads.
   *
   * @throws QuorateError NO_LEADER when no member answers.
   */
  members(): Promise<GroupRoute>
  /** What every member that answers says, and who of the configuration did not. Never rejects for want of answers. */
  status(options?: StatusOptions): Promise<GroupStatus>
  /**
   * Resolves when less than half of what may wait for an answer does (`maxPending`, `maxPendingBytes`): for callers that have more
   * to ask for than the group can answer.
   *
   * @example
   * for (const row of rows) { await client.ready(); client.apply(row).catch(report) }
   */
  ready(): Promise<void>
  /** Settles what is open: not sent yet is not applied, under way is unknown. Repeating it is harmless. */
  close(): void
}
