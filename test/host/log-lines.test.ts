// What the log of a member says of roles, elections, followers that lag, and a state machine that is slow: once each, in the
// words of the metrics, and without floods. Time runs ten times as fast.

import { expect, onTestFinished, test } from 'vitest'
import type { Host, RaftNode } from '../../src/api.ts'
import { openHost } from '../../src/host/open-host.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import type { LogFields, Logger } from '../../src/runtime/logger.ts'
import type { StateMachine } from '../../src/state-machine.ts'
import { MemoryDisk, MemoryStorage } from '../../src/storage/memory/memory-storage.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'

const TIMES = 10
/** Half a second for this machine. */
const PATIENT = { electionTimeoutMs: 5000, maxClockDriftMs: 1000, maxElectionDelayMs: 1000 }
const QUICK = { electionTimeoutMs: 1500, maxClockDriftMs: 500, maxElectionDelayMs: 500 }
const COUNTING: StateMachine<unknown, number> = { apply: (_, { index }) => index }

interface Line {
  readonly level: string
  readonly fields: LogFields
  readonly message: string
}

class FastClock implements Clock {
  /** Milliseconds that have passed at once. */
  skippedMs = 0
  #stoppedMs: number | null = null
  readonly wallMs = systemClock.wallMs
  readonly clearTimeout = systemClock.clearTimeout
  readonly defer = systemClock.defer
  readonly nowMs = (): number => (this.#stoppedMs ?? systemClock.nowMs() * TIMES) + this.skippedMs
  readonly setTimeout = (run: () => void, delayMs: number) => systemClock.setTimeout(run, delayMs / TIMES)

  /** From here on time passes in skips alone, however busy this machine is. */
  stop(): void {
    this.#stoppedMs = systemClock.nowMs() * TIMES
  }
}

class Scene {
  readonly bus = new MemoryBus()
  readonly clock = new FastClock()
  readonly lines: Line[] = []
  readonly #disks = new Map<string, MemoryDisk>()
  #told: (() => void)[] = []

  async member(
    id: string,
    peers: readonly string[],
    stateMachine: StateMachine<unknown, unknown> = COUNTING,
    times = QUICK,
  ): Promise<{ host: Host; node: RaftNode }> {
    const disk = this.#disks.get(id) ?? new MemoryDisk()
    this.#disks.set(id, disk)
    const storage = new MemoryStorage({ disk })
    const { clock, logger } = this
    const host = await openHost({ id, storage, transport: this.bus.connect(id), clock, logger })
    onTestFinished(() => host.close())
    return { host, node: await host.startNode({ group: 'g', peers, stateMachine, ...times }) }
  }

  get logger(): Logger {
    const take = (level: string) => (fields: LogFields, message: string) => {
      this.lines.push({ level, fields, message })
      for (const told of this.#told.splice(0)) told()
    }
    return { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') }
  }

  with(words: string): Line[] {
    return this.lines.filter(({ message }) => message.includes(words))
  }

  /** The n-th line with these words. */
  async until(words: string, count = 1): Promise<Line> {
    for (;;) {
      const line = this.with(words)[count - 1]
      if (line !== undefined) return line
      await new Promise<void>((resolve) => this.#told.push(resolve))
    }
  }
}

function untilLeader(nodes: readonly RaftNode[]): Promise<RaftNode> {
  return new Promise((resolve) => {
    for (const node of nodes) {
      if (node.status().role === 'leader') resolve(node)
      node.on('role', ({ to }) => to === 'leader' && resolve(node))
    }
  })
}

test('a role has one line, with the reason that the metrics count', async () => {
  const scene = new Scene()
  const { host, node } = await scene.member('a', ['a'])
  await untilLeader([node])
  const counted = host.figures().nodes[0]?.roles.map(({ role, reason }) => `${role} ${reason}`)
  expect(counted?.length).toBeGreaterThan(2)
  const roles = scene.with('Role ')
  expect(roles.map(({ fields: { to, reason } }) => `${to} ${reason}`)).toEqual(counted)
  expect(roles.at(-1)).toEqual({
    level: 'info',
    message: 'Role candidate → leader.',
    fields: { group: 'g', from: 'candidate', to: 'leader', term: node.status().term, reason: 'ELECTION_WON' },
  })
  expect(scene.with('The leader is a.')).toMatchObject([{ fields: { group: 'g', leader: 'a' } }])
})

test('a member that reaches no majority says that it asks, but not each time', async () => {
  const scene = new Scene()
  await scene.member('a', ['a', 'b', 'c'])
  const words = 'asked whether they would vote'
  const first = await scene.until(words)
  expect(first.fields).toMatchObject({ asked: ['b', 'c'], reason: 'ELECTION_TIMEOUT', leftOut: 0 })
  const { fields } = await scene.until(words, 2)
  expect(fields.leftOut).toBeGreaterThan(0)
})

test('a follower that is gone lags, and has caught up when it is back', async () => {
  const scene = new Scene()
  const ids = ['a', 'b', 'c']
  const members = await Promise.all(ids.map((id) => scene.member(id, ids, COUNTING, PATIENT)))
  const leader = await untilLeader(members.map(({ node }) => node))
  const gone = members.find(({ node }) => node !== leader)
  const peer = gone?.host.id ?? ''
  await gone?.host.close()
  const { level, fields, message } = await scene.until('lags: ')
  expect({ level, fields }).toMatchObject({ level: 'warn', fields: { group: 'g', peer, reason: 'SILENT' } })
  expect(fields.silentMs).toBeGreaterThanOrEqual(10_000)
  expect(message).toMatch(new RegExp(`^Follower ${peer} of g lags: it has not answered for \\d+\\.\\d s\\.$`))
  await scene.member(peer, ids, COUNTING, PATIENT)
  await scene.until(`Follower ${peer} of g has caught up.`)
  expect(scene.with(' of g lags: ')).toHaveLength(1)
})

test('a state machine that holds the process up is named, and not each time', async () => {
  const scene = new Scene()
  const slow: StateMachine<number, null> = {
    apply: (ms) => {
      scene.clock.skippedMs += ms
      return null
    },
  }
  const { node } = await scene.member('a', ['a'], slow)
  await untilLeader([node])
  scene.clock.stop()
  const words = 'held this process up'
  await node.apply(10)
  expect(scene.with(words)).toEqual([])
  const { index } = await node.apply(300)
  const { level, fields, message } = await scene.until(words)
  expect({ level, fields }).toMatchObject({ level: 'warn', fields: { group: 'g', index, leftOut: 0 } })
  expect(fields.tookMs).toBeGreaterThanOrEqual(300)
  expect(message).toContain(`for ${fields.tookMs} ms`)
  await node.apply(300)
  await node.apply(300)
  expect(scene.with(words)).toHaveLength(1)
  await node.apply(20_000)
  expect(scene.with(words).map(({ fields: { leftOut } }) => leftOut)).toEqual([0, 2])
})

test('an entry from which the state machine does not come back is named while it is waited for', async () => {
  const scene = new Scene()
  let settle = (): void => {}
  const waiting: StateMachine<string, null> = {
    apply: (how) =>
      new Promise((resolve) => {
        if (how === 'quick') resolve(null)
        else settle = () => resolve(null)
      }),
  }
  const { node } = await scene.member('a', ['a'], waiting)
  await untilLeader([node])
  const before = await node.apply('quick')
  const applying = node.apply('long')
  const words = 'has not come back from entry'
  const { level, fields } = await scene.until(words)
  expect({ level, fields }).toMatchObject({ level: 'warn', fields: { group: 'g', index: before.index + 1 } })
  expect(fields.awayMs).toBeGreaterThanOrEqual(1000)
  const again = await scene.until(words, 2)
  expect(again.fields.leftOut).toBeGreaterThan(0)
  settle()
  await applying
  await node.apply('quick')
  // Whoever still looked would do so by then, and may say it again.
  scene.clock.skippedMs += 20_000
  await new Promise<void>((resolve) => scene.clock.setTimeout(resolve, 3000))
  expect(scene.with(words)).toHaveLength(2)
})
