// 200,000 frames that nobody should believe, against real processes under load: the group stays up, and stays right.

import { connect, type NatsConnection } from 'nats'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { type Random, randomInt, seededRandom } from '../../src/runtime/random.ts'
import { adminSubject, clientSubject } from '../../src/transport/subjects.ts'
import { jsonLines } from '../cli/run-cli.ts'
import { mutate, pick } from '../transport/support/mutations.ts'
import { withChecksum } from '../transport/support/seals.ts'
import { Group } from './support/group.ts'
import { Workload } from './support/workload.ts'

const IDS = ['n1', 'n2', 'n3']
const FRAMES = 200_000
/** Sent between two breaths, so that the server has no reason to cut a consumer off. */
const FRAMES_PER_FLUSH = 500
const CORPUS_SIZE = 400
const MAX_CORPUS_BYTES = 4096
const METHODS = [
  'append_entries',
  'heartbeat',
  'request_vote',
  'pre_vote',
  'timeout_now',
  'read_index',
  'sing',
]

let group: Group
let stranger: NatsConnection | undefined
afterEach(async () => {
  await stranger?.close()
  await group.stop()
})

interface Heard {
  readonly subject: string
  readonly data: Uint8Array
}

/**
 * What members really say to each other. Not what clients say: those frames have no checksum, because whoever may speak
 * to the leader may also write what he likes.
 */
async function overhear(connection: NatsConnection): Promise<Heard[]> {
  const heard: Heard[] = []
  const inboxes = new Set<string>()
  for await (const { subject, data, reply } of connection.subscribe('>')) {
    const isAnswer = [...inboxes].some((inbox) => subject.startsWith(inbox))
    if (!subject.includes('.rpc.') && !isAnswer) continue
    if (reply !== undefined && reply !== '') inboxes.add(reply.slice(0, reply.lastIndexOf('.')))
    if (data.length > 0 && data.length < MAX_CORPUS_BYTES) heard.push({ subject, data: data.slice() })
    if (heard.length >= CORPUS_SIZE) return heard
  }
  throw new Error('The connection was closed.')
}

/** A frame that is believed only where nobody forges a checksum: damaged, or sealed noise. */
function badFrame({ data }: Heard, frames: readonly Uint8Array[], random: Random): Uint8Array {
  const draw = random.next()
  if (draw < 0.5) return mutate([data], random)
  if (draw < 0.7) return mutate(frames, random)
  const noise = Uint8Array.from({ length: randomInt(random, 0, 200) }, () => randomInt(random, 0, 255))
  return withChecksum(mutate([noise, Uint8Array.of(0x81), new Uint8Array(900).fill(0x81)], random))
}

/** Where it was going, where it was not, and where nothing goes. */
function drawSubject(heard: Heard, random: Random): string {
  const to = pick(IDS, random)
  const draw = random.next()
  if (draw < 0.6) return heard.subject
  if (draw < 0.85)
    return `quorate.e2e.${to}.rpc.${pick([...IDS, 'n9', 'leader'], random)}.${pick(METHODS, random)}`
  if (draw < 0.95) return clientSubject('quorate', 'e2e', to, pick(['propose', 'read', 'x'], random))
  return adminSubject('quorate', 'e2e', to, pick(['status', 'x'], random))
}

/** Reason and sender of each line about something dropped. */
function dropsIn(log: string): readonly string[] {
  const line = z.object({ message: z.string(), reason: z.string().optional(), sender: z.string().optional() })
  return jsonLines(log)
    .map((parsed) => line.parse(parsed))
    .filter(({ message }) => message.startsWith('Dropped '))
    .map(({ reason, sender }) => `${reason} ${sender}`)
}

test(`a group under load takes ${FRAMES} bad frames, and does nothing of what they say`, {
  timeout: 120_000,
}, async () => {
  group = await Group.start({ ids: IDS })
  const load = new Workload(group.client, 4)
  await load.progress(20)
  stranger = await connect({ servers: group.nats.url })
  const heard = await overhear(stranger)
  const frames = heard.map(({ data }) => data)
  const termBefore = Math.max(...(await group.client.status({ timeoutMs: 2000 })).members.map((m) => m.term))

  const random = seededRandom(20_261_123)
  for (let sent = 0; sent < FRAMES; sent++) {
    const answer = random.next() < 0.5 ? { reply: `nobody.${sent}` } : {}
    const example = pick(heard, random)
    stranger.publish(drawSubject(example, random), badFrame(example, frames, random), answer)
    if (sent % FRAMES_PER_FLUSH === 0) await stranger.flush()
  }
  await stranger.flush()
  await load.progress(40)
  await load.stop()
  await group.converged()

  const { members } = await group.client.status({ timeoutMs: 2000 })
  expect(members.map(({ role }) => role).toSorted()).toEqual(['follower', 'follower', 'leader'])
  // Nobody was deposed by a term that nobody has.
  expect(Math.max(...members.map(({ term }) => term)) - termBefore).toBeLessThan(5)
  expect(load.check()).toMatchObject({ verdict: 'linearizable' })
  for (const id of group.ids) {
    const said = dropsIn(group.logOf(id))
    expect(said.length).toBeGreaterThan(3)
    // Once a minute for each reason and sender, however many come.
    expect(new Set(said).size).toBe(said.length)
  }
})
