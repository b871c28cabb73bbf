// Puts one member of one group on the bus for clients and operators: leader service, what is addressed to this member,
// reads of any member, status, and micro discovery.

import type { RaftNode } from '../api.ts'
import type { MemberStatus } from '../protocol/admin-protocol.ts'
import { CLIENT_PROTOCOL_VERSION } from '../protocol/client-protocol.ts'
import { encodeJson } from '../protocol/json.ts'
import { LEADER_QUEUE, MEMBERS_QUEUE, membersSubject, serviceName } from '../protocol/subjects.ts'
import { SUBSCRIBE } from '../protocol/subscription-protocol.ts'
import { type Clock, systemClock, type TimerHandle } from '../runtime/clock.ts'
import { messageOf } from '../runtime/errors.ts'
import { type Logger, shelteredLogger } from '../runtime/logger.ts'
import { type Random, systemRandom } from '../runtime/random.ts'
import { adminSubject, clientSubject, DEFAULT_PREFIX, leaderSubject } from '../transport/subjects.ts'
import type { Transport } from '../transport/transport.ts'
import { adminEndpoints } from './admin-endpoints.ts'
import { Endpoint, type EndpointOptions, type Request } from './endpoint.ts'
import { FeedDesk } from './feed-desk.ts'
import { memberOf } from './member-port.ts'
import { announceMicroService } from './micro.ts'
import { handlePropose, handleRead, handleReadOfAny, type OperationContext } from './operations.ts'
import { handleSnapshotRead } from './snapshot-endpoints.ts'
import { SnapshotLending } from './snapshot-lending.ts'
import { trackStanding } from './standing.ts'
import { SubscriptionDesk } from './subscription-desk.ts'

export interface AttachOptions {
  readonly transport: Transport
  readonly node: RaftNode
  /** Default `quorate`. */
  readonly prefix?: string
  /** Shown by discovery tools, and by the member's status. */
  readonly version?: string
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
}

export interface AttachedServices {
  /** The id that this member's status carries as `instance`. */
  readonly instance: string
  /** Takes nothing from here on; what was taken before is still answered. Repeating it is harmless. */
  detach(): void
}

/**
 * A member that stops leading goes on listening this long and answers NOT_LEADER: requests that were under way to it
 * then fail at once and may be retried, where silence would leave their clients with an unknown outcome.
 */
const LEADER_LINGER_MS = 100

/** @throws QuorateError INVALID when prefix, group or id can't be part of a subject. */
export function attachServices(options: AttachOptions): AttachedServices {
  const { transport, node, prefix = DEFAULT_PREFIX, clock = systemClock } = options
  const { random = systemRandom, version = null } = options
  const logger = shelteredLogger(options.logger)
  const { group, id } = node
  const instance = randomName(random)
  const standing = trackStanding(node)
  const parts = { transport, node, prefix, clock, logger, instance, version, standing: standing.now }
  const { forLeader, forAll, desks } = endpointsOf(parts)

  for (const each of forAll) each.open()
  const stopFollowingRole = openWhileLeading(node, forLeader, clock)
  const micro = announceMicroService(transport, {
    name: serviceName(prefix, group),
    prefix,
    id,
    version: version ?? '0.0.0',
    description: `Member ${id} of Raft group ${group}`,
    started: new Date(clock.wallMs()).toISOString(),
    metadata: () => {
      const { role, term, commitIndex, appliedIndex } = node.status()
      return {
        ...{ group, node: id, prefix, protocol: String(CLIENT_PROTOCOL_VERSION) },
        ...{ role, term: String(term), commit: String(commitIndex), lag: String(commitIndex - appliedIndex) },
      }
    },
    endpoints: [...forLeader, ...forAll],
    data: () => {
      const { role, term, leader, commitIndex, appliedIndex, lastIndex } = node.status()
      const lag = commitIndex - appliedIndex
      return { group, member: id, role, term, leader, commitIndex, appliedIndex, lastIndex, lag }
    },
  })

  return {
    instance,
    detach() {
      stopFollowingRole()
      standing.stop()
      micro.unsubscribe()
      for (const each of [...forAll, ...forLeader]) each.close()
      for (const desk of desks) desk.close()
    },
  }
}

type EndpointContext = Required<Pick<AttachOptions, 'transport' | 'node' | 'prefix' | 'clock' | 'logger'>> & {
  readonly instance: string
  readonly version: string | null
  readonly standing: OperationContext['standing']
}

function endpointsOf(context: EndpointContext): {
  readonly forLeader: readonly Endpoint[]
  readonly forAll: readonly Endpoint[]
  readonly desks: readonly { close(): void }[]
} {
  const { transport, node, prefix, clock, logger, instance, version, standing } = context
  const { group, id } = node
  const member = memberOf(node, (thrown) =>
    logger.error({ group, error: messageOf(thrown) }, 'An answer to a client could not be given.'),
  )
  const common = { transport, prefix, clock, logger }
  const operations = (
    at: Pick<EndpointOptions, 'name' | 'subject' | 'queue'>,
    handle: (request: Request, context: OperationContext) => void,
  ): Endpoint => {
    const refuse = (reason: string): void => endpoint.countError(reason)
    const context = { member, transport, standing, refuse }
    const endpoint = new Endpoint({ ...common, ...at, handle: (request) => handle(request, context) })
    return endpoint
  }
  const status = (name: string, subject: string): Endpoint =>
    new Endpoint({
      ...{ ...common, name, subject },
      handle: ({ replyTo }) => {
        const answer: MemberStatus = { ...node.status(), instance, version }
        transport.publish(replyTo, encodeJson(answer))
      },
    })
  const lending = new SnapshotLending(member, clock)
  const subscriptions = new SubscriptionDesk({ member, transport, clock, standing })
  const feed = new FeedDesk({ member, transport, prefix, group, id })
  const admin = adminEndpoints({ ...common, node, member, standing, feed })
  const snapshotRead = new Endpoint({
    ...{ ...common, name: 'snapshot-read', subject: adminSubject(prefix, group, id, 'snapshot-read') },
    handle: (request) =>
      handleSnapshotRead(request, lending, transport, (reason) => snapshotRead.countError(reason)),
  })
  const subscribe = (at: Pick<EndpointOptions, 'name' | 'subject' | 'queue'>): Endpoint => {
    const endpoint: Endpoint = new Endpoint({
      ...{ ...common, ...at },
      handle: (request) => subscriptions.handle(request, (reason) => endpoint.countError(reason)),
    })
    return endpoint
  }
  const ofLeader = (method: string) => ({
    ...{ name: method, subject: leaderSubject(prefix, group, method), queue: LEADER_QUEUE },
  })
  const ofMember = (method: string) => ({
    ...{ name: `member-${method}`, subject: clientSubject(prefix, group, id, method) },
  })
  const ofAny = (method: string) => ({
    ...{ name: `members-${method}`, subject: membersSubject(prefix, group, method), queue: MEMBERS_QUEUE },
  })
  return {
    forLeader: [
      operations(ofLeader('propose'), handlePropose),
      operations(ofLeader('read'), handleRead),
      ...admin.forLeader,
    ],
    forAll: [
      operations(ofAny('read'), handleReadOfAny),
      operations(ofMember('propose'), handlePropose),
      operations(ofMember('read'), handleRead),
      subscribe(ofAny(SUBSCRIBE)),
      subscribe(ofMember(SUBSCRIBE)),
      status('members-status', membersSubject(prefix, group, 'status')),
      status('status', adminSubject(prefix, group, id, 'status')),
      snapshotRead,
      ...admin.forAll,
    ],
    desks: [lending, feed, subscriptions],
  }
}

/** Returns what ends it; the endpoints stay as they are then. */
function openWhileLeading(node: RaftNode, endpoints: readonly Endpoint[], clock: Clock): () => void {
  let lingering: TimerHandle | null = null
  const stopLingering = (): void => {
    if (lingering !== null) clock.clearTimeout(lingering)
    lingering = null
  }
  const leads = (): void => {
    stopLingering()
    for (const each of endpoints) each.open()
  }
  const stop = node.on('role', (change) => {
    if (change.to === 'leader') leads()
    else if (change.from === 'leader') {
      stopLingering()
      lingering = clock.setTimeout(() => {
        lingering = null
        for (const each of endpoints) each.close()
      }, LEADER_LINGER_MS)
    }
  })
  if (node.status().role === 'leader') leads()
  return () => {
    stopLingering()
    stop()
  }
}

function randomName(random: Random): string {
  const digits = (): string =>
    Math.floor(random.next() * 36 ** 6)
      .toString(36)
      .padStart(6, '0')
  return digits() + digits()
}
