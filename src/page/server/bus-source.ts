// Groups on a bus, as a page is made of them: found by NATS service discovery, watched like by any other viewer.

import { z } from 'zod'
import { Requester } from '../../client/requester.ts'
import { watchGroup } from '../../client/watch/watch-group.ts'
import { nameSchema } from '../../options.ts'
import { decodeJson } from '../../protocol/json.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { DEFAULT_PREFIX } from '../../transport/subjects.ts'
import type { Transport } from '../../transport/transport.ts'
import type { GroupSummary } from '../page-protocol.ts'
import type { PageSource } from './source.ts'

export interface BusSourceOptions {
  /** Used, and not closed with the page. */
  readonly transport: Transport
  readonly prefix?: string
  /** Null: the only one that there is, or whichever is chosen from the list. */
  readonly group: string | null
  readonly clock?: Clock
}

export function busSource({
  transport,
  prefix = DEFAULT_PREFIX,
  group,
  clock = systemClock,
}: BusSourceOptions): PageSource {
  return {
    ...{ kind: 'bus', group, keeps: true },
    watch: (name) => {
      const watch = watchGroup({ transport, group: name, prefix, clock })
      // What is wrong is the model's problem, too, and shown as that.
      watch.ready().catch(() => {})
      return watch
    },
    groups: () => findGroups(transport, prefix, clock),
  }
}

/** Members that are heard at most; what more there are is not shown. */
const MAX_HEARD = 4096
const MAX_ANSWER_BYTES = 16 * 1024
/** Nobody says how many will answer: it ends when nothing has come for a while. */
const QUIET_MS = 250
const LONGEST_MS = 1500

const index = z.coerce.number().int().min(0)
const answerSchema = z.object({
  type: z.literal('io.nats.micro.v1.ping_response'),
  metadata: z.object({
    group: nameSchema,
    node: nameSchema,
    prefix: z.string(),
    role: z.string().max(64),
    ...{ term: index, commit: index, lag: index },
  }),
})

type Answer = z.output<typeof answerSchema>['metadata']

/** All groups of which a member answers, by name. */
export function findGroups(
  transport: Transport,
  prefix: string,
  clock: Clock,
): Promise<readonly GroupSummary[]> {
  return new Promise((resolve) => {
    const requester = new Requester(transport)
    const heard: Answer[] = []
    let quiet = clock.setTimeout(() => finish(), LONGEST_MS)
    const longest = clock.setTimeout(() => finish(), LONGEST_MS)
    const finish = (): void => {
      clock.clearTimeout(quiet)
      clock.clearTimeout(longest)
      requester.close()
      resolve(summarize(heard))
    }
    const sent = requester.send('$SRV.PING', new Uint8Array(0), ({ payload, noResponders }) => {
      if (noResponders) return finish()
      const answer = answerSchema.safeParse(decodeJson(payload, MAX_ANSWER_BYTES)).data?.metadata
      if (answer === undefined || answer.prefix !== prefix || heard.length >= MAX_HEARD) return
      heard.push(answer)
      clock.clearTimeout(quiet)
      quiet = clock.setTimeout(finish, QUIET_MS)
    })
    if (sent === null) finish()
  })
}

function summarize(heard: readonly Answer[]): readonly GroupSummary[] {
  const byGroup = new Map<string, Answer[]>()
  for (const answer of heard) byGroup.set(answer.group, [...(byGroup.get(answer.group) ?? []), answer])
  const groups = [...byGroup].map(([group, members]) => {
    const term = Math.max(...members.map((member) => member.term))
    const leading = members.find((member) => member.role === 'leader' && member.term === term)
    const commitIndex = Math.max(...members.map(({ commit }) => commit))
    const lag = commitIndex - Math.min(...members.map((member) => member.commit - member.lag))
    return { group, members: members.length, leader: leading?.node ?? null, term, commitIndex, lag }
  })
  return groups.sort((a, b) => a.group.localeCompare(b.group))
}
