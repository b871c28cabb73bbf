// NATS micro discovery (ADR-32): answers $SRV.PING, INFO and STATS, so that `nats micro ls` finds members and their
// endpoints. Spoken over the transport port, so it is there on every bus.

import { encodeJson } from '../protocol/json.ts'
import { mayAnswerAt } from '../protocol/subjects.ts'
import type { Subscription, Transport } from '../transport/transport.ts'
import type { Endpoint } from './endpoint.ts'

export interface MicroService {
  readonly name: string
  /** Of the group's subjects: nothing is answered there. */
  readonly prefix: string
  /** Unique among instances of the same name. */
  readonly id: string
  readonly version: string
  readonly description: string
  /** RFC 3339. */
  readonly started: string
  /** Shown by every verb, as it is then. */
  readonly metadata: () => Readonly<Record<string, string>>
  readonly endpoints: readonly Endpoint[]
  /** What an endpoint adds under `data` in STATS. */
  readonly data: () => unknown
}

const NANOSECONDS_PER_MS = 1_000_000

/** Answers until `unsubscribe`. */
export function announceMicroService(transport: Transport, service: MicroService): Subscription {
  const { name, id, version } = service
  const identity = () => ({ name, id, version, metadata: service.metadata() })
  const answers: Readonly<Record<string, () => unknown>> = {
    PING: () => ({ type: 'io.nats.micro.v1.ping_response', ...identity() }),
    INFO: () => ({
      type: 'io.nats.micro.v1.info_response',
      ...identity(),
      description: service.description,
      endpoints: service.endpoints.map(({ name, subject, queue }) => ({
        name,
        subject,
        queue_group: queue,
        metadata: null,
      })),
    }),
    STATS: () => {
      const data = service.data()
      return {
        type: 'io.nats.micro.v1.stats_response',
        ...identity(),
        started: service.started,
        endpoints: service.endpoints.map((endpoint) => endpointStats(endpoint, data)),
      }
    },
  }
  // Three subscriptions instead of nine: the verb is read from the subject.
  const subjects = ['$SRV.*', `$SRV.*.${service.name}`, `$SRV.*.${service.name}.${service.id}`]
  const subscriptions = subjects.map((subject) =>
    transport.subscribe(subject, (message) => {
      const verb = message.subject.split('.')[1] ?? ''
      const answer = Object.hasOwn(answers, verb) ? answers[verb] : undefined
      if (answer === undefined || message.replyTo === undefined) return
      if (!mayAnswerAt(service.prefix, message.replyTo)) return
      transport.publish(message.replyTo, encodeJson(answer()))
    }),
  )
  return {
    unsubscribe() {
      for (const subscription of subscriptions) subscription.unsubscribe()
    },
  }
}

function endpointStats(endpoint: Endpoint, data: unknown): unknown {
  const { requests, errors, lastError, processingMs } = endpoint.stats
  const processingTime = Math.round(processingMs * NANOSECONDS_PER_MS)
  return {
    name: endpoint.name,
    subject: endpoint.subject,
    queue_group: endpoint.queue,
    num_requests: requests,
    num_errors: errors,
    last_error: lastError,
    processing_time: processingTime,
    average_processing_time: requests === 0 ? 0 : Math.round(processingTime / requests),
    data,
  }
}
