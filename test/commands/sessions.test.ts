// Commands of a session: carried out once each, whatever is lost, whoever leads, whatever is restarted.

import { describe, expect, it } from 'vitest'
import { connectClient } from '../../src/client.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MEMBER_PORT, type WriteOutcome } from '../../src/services/member-port.ts'
import type { AppliedPosition, StateMachine } from '../../src/state-machine.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { type SessionMark, sealCommand } from '../../src/transport/wire/envelope.ts'
import { GROUP, type Member, rejection, until, World } from '../host/support/world.ts'

/** Counts how often each word was applied. */
class Tally implements StateMachine<string, number> {
  #times: Record<string, number> = {}

  apply(word: string, _at: AppliedPosition): number {
    const times = (this.#times[word] ?? 0) + 1
    this.#times[word] = times
    return times
  }

  read(): unknown {
    return { ...this.#times }
  }

  stateHash(): string {
    return JSON.stringify(this.#times)
  }

  snapshot(): unknown {
    return this.#times
  }

  restore(value: unknown): void {
    this.#times = { ...(value as Record<string, number>) }
  }
}

class Group implements AsyncDisposable {
  readonly world = new World('a', 'b', 'c')

  async start(): Promise<Member> {
    await Promise.all(this.world.ids.map((id) => this.join(id)))
    return (await this.world.leader()).leader
  }

  async join(id: string): Promise<Member> {
    const member = await this.world.member(id, { stateMachine: new Tally() })
    attachServices({ node: member.node, transport: member.connection })
    return member
  }

  async leader(): Promise<Member> {
    return (await this.world.leader()).leader
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]()
  }
}

/** Sends a command of a session by hand, as often as one likes. */
function send({ node }: Member, word: string, mark: SessionMark): Promise<WriteOutcome> {
  if (!(MEMBER_PORT in node)) throw new Error('no port')
  const port = node[MEMBER_PORT] as {
    propose(data: Uint8Array, term: undefined, done: (outcome: WriteOutcome) => void): void
  }
  return new Promise((resolve) =>
    port.propose(sealCommand(encodeValue(word), { session: mark }), undefined, resolve),
  )
}

async function begin(member: Member, idleMs = 60_000): Promise<number> {
  const opened = await send(member, '', { session: 0, sequence: idleMs, acknowledged: 0 })
  if (!opened.ok) throw new Error('no session')
  expect(opened.result).toBe(opened.index)
  return opened.index
}

describe('a command of a session', () => {
  it('that gets into the log twice is applied once, and both are told the first result', async () => {
    await using group = new Group()
    const leader = await group.start()
    const session = await begin(leader)
    const first = await send(leader, 'x', { session, sequence: 1, acknowledged: 0 })
    const again = await send(leader, 'x', { session, sequence: 1, acknowledged: 0 })
    expect(first).toMatchObject({ ok: true, result: 1 })
    expect(again).toMatchObject({ ok: true, result: 1 })
    expect(await send(leader, 'x', { session, sequence: 2, acknowledged: 1 })).toMatchObject({ result: 2 })
    const stale = await send(leader, 'x', { session, sequence: 1, acknowledged: 0 })
    expect(stale).toMatchObject({ ok: false, error: { code: 'CONFLICT', outcome: 'applied' } })
    expect(await leader.node.read(null)).toEqual({ x: 2 })
  })

  it('is known to the next leader, to who was restarted, and to who came by a snapshot', async () => {
    await using group = new Group()
    const leader = await group.start()
    const session = await begin(leader)
    await send(leader, 'x', { session, sequence: 1, acknowledged: 0 })
    await until(
      () => [...group.world.members.values()].every(({ node }) => node.status().appliedIndex >= session + 1),
      'all',
    )
    for (const { node } of group.world.members.values()) await node.snapshot()
    await group.world.kill(leader)
    const next = await group.leader()
    expect(await send(next, 'x', { session, sequence: 1, acknowledged: 0 })).toMatchObject({
      ok: true,
      result: 1,
    })
    group.world.wipe(leader.id)
    for (const other of [...group.world.members.values()].filter((member) => member !== next)) {
      await group.world.kill(other)
      await group.join(other.id)
    }
    const restarted = await group.leader()
    expect(await send(restarted, 'x', { session, sequence: 1, acknowledged: 0 })).toMatchObject({
      ok: true,
      result: 1,
    })
    const hashes = () => [...group.world.members.values()].map(({ node }) => node.status().stateHash)
    await until(
      () => new Set(hashes()).size === 1 && hashes()[0]?.length === 16,
      'equal states, with sessions in them',
    )
  })

  it('that has expired, or was closed, is refused, and nobody says that it was not applied', async () => {
    await using group = new Group()
    const leader = await group.start()
    const session = await begin(leader)
    await send(leader, 'x', { session, sequence: 1, acknowledged: 0 })
    await send(leader, '', { session, sequence: 0, acknowledged: 0 })
    const refused = { ok: false, error: { code: 'SESSION_EXPIRED', outcome: 'unknown' } }
    expect(await send(leader, 'x', { session, sequence: 1, acknowledged: 0 })).toMatchObject(refused)
    expect(await send(leader, 'x', { session: 7_000_000, sequence: 1, acknowledged: 0 })).toMatchObject(
      refused,
    )
    expect(await leader.node.read(null)).toEqual({ x: 1 })
  })
})

/** A session whose client has sent `x`, which was applied, and whose answer was lost. */
async function unanswered(group: Group, timeoutMs: number) {
  const leader = await group.start()
  const bus = deaf(group.world.bus.connect('client'))
  const client = connectClient({ transport: bus, group: GROUP, timeoutMs })
  const session = await client.session()
  bus.losing = true
  // Rejected or not: whoever asked looks later.
  const applied = session.apply('x')
  applied.catch(() => {})
  await until(() => bus.lost > 0, 'it is applied, and the answer is lost')
  return { leader, bus, client, session, applied }
}

/** A bus that swallows what comes to the client's inbox, when told to. */
function deaf(inner: Transport): Transport & { losing: boolean; lost: number } {
  const transport: Transport & { losing: boolean; lost: number } = {
    losing: false,
    lost: 0,
    inbox: inner.inbox,
    status: () => inner.status(),
    onStatus: (handler) => inner.onStatus(handler),
    publish: (subject, payload, replyTo) => inner.publish(subject, payload, replyTo),
    subscribe: (subject, handler, options) =>
      inner.subscribe(
        subject,
        (message) => {
          if (transport.losing) transport.lost += 1
          else handler(message)
        },
        options,
      ),
    close: () => inner.close(),
  }
  return transport
}

describe('a session of a client', () => {
  it('sends again what had no answer, and the group applies it once', async () => {
    await using group = new Group()
    const { bus, client, session, applied } = await unanswered(group, 3000)
    bus.losing = false
    expect(await applied).toMatchObject({ result: 1 })
    expect(await Promise.all([session.apply('y'), session.apply('y')])).toMatchObject([
      { result: 1 },
      { result: 2 },
    ])
    expect(await client.read(null)).toEqual({ x: 1, y: 2 })
    await session.close()
    expect(await rejection(session.apply('z'))).toMatchObject({ code: 'SHUTDOWN' })
    client.close()
  })

  it('outlives its leader', async () => {
    await using group = new Group()
    const leader = await group.start()
    const client = connectClient({
      transport: group.world.bus.connect('client'),
      group: GROUP,
      timeoutMs: 5000,
    })
    const session = await client.session()
    const before = await Promise.all(Array.from({ length: 50 }, () => session.apply('x')))
    const during = Promise.all(Array.from({ length: 50 }, () => session.apply('x')))
    await group.world.kill(leader)
    const results = [...before, ...(await during)].map(({ result }) => result)
    expect(results.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 100 }, (_, at) => at + 1),
    )
    client.close()
  })

  it('says unknown when time is up after an attempt without an answer, whatever came later', async () => {
    await using group = new Group()
    const { client, applied } = await unanswered(group, 600)
    expect(await rejection(applied)).toMatchObject({ outcome: 'unknown' })
    client.close()
  })

  it('says unknown also when the last thing that it heard was a refusal', async () => {
    await using group = new Group()
    const { bus, client, applied } = await unanswered(group, 2000)
    for (const member of [...group.world.members.values()]) await group.world.kill(member)
    bus.losing = false
    expect(await rejection(applied)).toMatchObject({ code: 'NO_LEADER', outcome: 'unknown' })
    client.close()
  })

  it('never sends in a new session what may have been carried out in one that is forgotten', async () => {
    await using group = new Group()
    const { leader, bus, client, session, applied } = await unanswered(group, 3000)
    const { id } = session
    await send(leader, '', { session: id, sequence: 0, acknowledged: 0 })
    bus.losing = false
    expect(await rejection(applied)).toMatchObject({ code: 'SESSION_EXPIRED', outcome: 'unknown' })
    expect(await client.read(null)).toEqual({ x: 1 })
    client.close()
  })

  it('calls for the result of an early command though later ones are answered', async () => {
    await using group = new Group()
    const { bus, client, session, applied } = await unanswered(group, 3000)
    bus.losing = false
    expect(await session.apply('x')).toMatchObject({ result: 2 })
    expect(await applied).toMatchObject({ result: 1 })
    client.close()
  })

  it('that the group has forgotten is begun anew for what was never under way', async () => {
    await using group = new Group()
    const leader = await group.start()
    const client = connectClient({ transport: group.world.bus.connect('client'), group: GROUP })
    const session = await client.session()
    const { id } = session
    await send(leader, '', { session: id, sequence: 0, acknowledged: 0 })
    expect(await session.apply('x')).toMatchObject({ result: 1 })
    expect(session.id).toBeGreaterThan(id)
    client.close()
  })

  it.each([0, 999, 1.5, 86_400_001])('refuses an idle time of %s', async (idleMs) => {
    await using group = new World('a')
    const client = connectClient({ transport: group.bus.connect('client'), group: GROUP })
    expect(await rejection(client.session({ idleMs }))).toMatchObject({ code: 'INVALID' })
    client.close()
  })
})
