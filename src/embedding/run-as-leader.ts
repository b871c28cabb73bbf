// `runAsLeader`: one copy of an actor in the whole group, on the member that leads.

import type { Actor, AnyActorLogic, EventFromLogic, InputFrom } from 'xstate'
import { z } from 'zod'
import { LEADERSHIP_DOOR, type LeadershipDoor } from '../actors/node/tenure.ts'
import type { RaftNode } from '../api.ts'
import { QuorateError } from '../errors.ts'
import { describeIssues } from '../options.ts'
import type { FencingToken } from '../rules/tenure.ts'
import { type CopyChange, type CopyPlan, LeaderCopy, type Leadership } from './leader-copy.ts'

export interface RunAsLeaderOptions<L extends AnyActorLogic> {
  /** Makes the input of the copy. Default: the leadership itself is its input. */
  readonly input?: (leadership: Leadership) => InputFrom<L>
  /** Sent to a copy that is to end. It has `graceMs` to come to its end by itself, then it is stopped. */
  readonly farewell?: EventFromLogic<L>
  /** Default: a fifth of the election timeout with `farewell`, else 0. */
  readonly graceMs?: number
  /** The copy is stopped so long before another member could lead. Default: a tenth of the election timeout. */
  readonly marginMs?: number
  /**
   * When a copy has ended by itself, another one begins in the same leadership. Default `onFailure`. A new leadership
   * always begins with a new copy.
   */
  readonly restart?: 'never' | 'onFailure' | 'always'
  /** Default 1,000. */
  readonly restartDelayMs?: number
  /**
   * `lease` (default): needs the option `leaderLease` of the group, and then no two copies run at a time while clocks keep
   * their drift bound. `usual`: without leases nothing binds the voters; an election that was under way when this leader was
   * heard may still end in another one, and for a moment two copies run. The token tells them apart.
   */
  readonly exclusion?: 'lease' | 'usual'
  /** Stops it like `stop`. */
  readonly signal?: AbortSignal
  /** Hears of every copy that begins or ends on this member. */
  readonly onChange?: (change: CopyChange) => unknown
}

/** What runs on the leader, seen from one member. */
export interface LeaderActor<L extends AnyActorLogic> extends AsyncDisposable {
  /** The copy, if it runs here. */
  readonly actor: Actor<L> | null
  readonly token: FencingToken | null
  readonly stopped: boolean
  /** Begins no copy on this member any more, and resolves once the last one has ended. Repeating it is harmless. */
  stop(): Promise<void>
}

type Given<L extends AnyActorLogic> =
  Leadership extends InputFrom<L>
    ? [options?: RunAsLeaderOptions<L>]
    : [options: RunAsLeaderOptions<L> & Required<Pick<RunAsLeaderOptions<L>, 'input'>>]

const optionsSchema = z.object({
  graceMs: z.number().nonnegative().optional(),
  marginMs: z.number().nonnegative().optional(),
  restart: z.enum(['never', 'onFailure', 'always']).optional(),
  restartDelayMs: z.number().nonnegative().optional(),
  exclusion: z.enum(['lease', 'usual']).optional(),
})

/**
 * Keeps one copy of an actor running in the group: on the member that leads, from when it has applied the first entry of its
 * term until before another one can lead. To be called on every member, with the same logic.
 *
 * @throws QuorateError INVALID for options that cannot be, for a group without `leaderLease` (see `exclusion`), and for a
 *   node that was not started by this package.
 * @example const cleaner = runAsLeader(node, cleanerMachine, { farewell: { type: 'finish' } })
 */
export function runAsLeader<L extends AnyActorLogic>(
  node: RaftNode,
  logic: L,
  ...[options = {}]: Given<L>
): LeaderActor<L> {
  const door = doorOf(node)
  const plan = planOf(door, logic, options)
  const copy = new LeaderCopy(door, plan)
  let stopping: Promise<void> | null = null
  const stop = (): Promise<void> => {
    options.signal?.removeEventListener('abort', stop)
    stopping ??= new Promise((done) => copy.stop(done))
    return stopping
  }
  options.signal?.addEventListener('abort', stop, { once: true })
  if (options.signal?.aborted === true) copy.stop(() => {})
  return {
    get actor() {
      return copy.running?.actor ?? null
    },
    get token() {
      return copy.running?.token ?? null
    },
    get stopped() {
      return copy.stopped
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function planOf<L extends AnyActorLogic>(
  door: LeadershipDoor,
  logic: L,
  options: RunAsLeaderOptions<L>,
): CopyPlan<L> {
  const parsed = optionsSchema.safeParse(options)
  if (!parsed.success)
    throw new QuorateError('INVALID', describeIssues('Option of runAsLeader:', parsed.error.issues))
  const { farewell, input, graceMs, marginMs, restart = 'onFailure', exclusion = 'lease' } = options
  if (exclusion === 'lease' && !door.leasesOn)
    throw new QuorateError(
      'INVALID',
      `runAsLeader needs the option leaderLease, on all members of ${door.group}: without it two may lead for a moment. If that is no harm, say exclusion: 'usual'.`,
    )
  const plan: CopyPlan<L> = {
    ...{ logic, restart, restartDelayMs: options.restartDelayMs ?? 1000 },
    // `Given` asks for `input` wherever this is none.
    inputOf: input ?? ((leadership) => leadership as InputFrom<L>),
    sayFarewell: (actor) => (farewell === undefined ? undefined : actor.send(farewell)),
    marginMs: () => marginMs ?? door.electionTimeoutMs / 10,
    graceMs: () => graceMs ?? (farewell === undefined ? 0 : door.electionTimeoutMs / 5),
    onChange: options.onChange ?? (() => {}),
  }
  const neededMs = plan.marginMs() + plan.graceMs() + 2 * door.heartbeatMs
  if (neededMs <= door.electionTimeoutMs) return plan
  throw new QuorateError(
    'INVALID',
    `Options graceMs and marginMs of runAsLeader, with two heartbeats ${neededMs} ms, do not fit into the election timeout of ${door.electionTimeoutMs} ms: no copy would ever run. Lower them, or raise electionTimeoutMs.`,
  )
}

function doorOf(node: RaftNode): LeadershipDoor {
  if (hasDoor(node)) return node[LEADERSHIP_DOOR]
  throw new QuorateError(
    'INVALID',
    'runAsLeader needs a node that host.startNode of this package has started.',
  )
}

function hasDoor(node: RaftNode): node is RaftNode & { readonly [LEADERSHIP_DOOR]: LeadershipDoor } {
  return LEADERSHIP_DOOR in node
}
