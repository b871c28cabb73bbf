// One copy of an actor in a group of real hosts: where it runs, when it ends, and that it is told in time.

import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { type Actor, fromPromise } from 'xstate'
import type { RaftNode } from '../../src/index.ts'
import type { TuningInput } from '../../src/options.ts'
import {
  type FencingToken,
  type LeaderActor,
  type RunAsLeaderOptions,
  runAsLeader,
} from '../../src/xstate.ts'
import { type Member, until, World } from '../host/support/world.ts'
import { checkCopies, type Logged, worker } from './copies.ts'

type Worker = typeof worker
/** Where the copy must not end because the machine is busy. */
const PATIENT: TuningInput = { electionTimeoutMs: 800 }
const ALL = ['n1', 'n2', 'n3']

interface Staff {
  readonly world: World
  readonly log: Logged[]
  readonly copies: Map<string, LeaderActor<Worker>>
  /** Of who runs a copy now; waits for it. */
  runner(not?: string): Promise<Member>
  employ(member: Member): void
}

async function staff(
  options: Partial<RunAsLeaderOptions<Worker>> & { finishMs?: number } = {},
  ids: readonly string[] = ALL,
  tuning: TuningInput = {},
): Promise<Staff> {
  const world = new World(...ids)
  onTestFinished(() => world[Symbol.asyncDispose]())
  const log: Logged[] = []
  const copies = new Map<string, LeaderActor<Worker>>()
  const { finishMs = 0, ...more } = options
  const employ = ({ id, node }: Member): void => {
    const work = { everyMs: 5, step: () => {} }
    const copy = runAsLeader(node, worker, {
      input: (leadership) => ({ ...leadership, work, finishMs }),
      onChange: (change) => log.push({ ...change, id }),
      ...more,
    })
    copies.set(id, copy)
  }
  await Promise.all(ids.map((id) => world.member(id, { leaderLease: true, ...tuning })))
  for (const member of world.members.values()) employ(member)
  const runner = async (not?: string): Promise<Member> => {
    const runs = () => [...world.members.values()].find(({ id }) => id !== not && copies.get(id)?.token)
    await until(() => runs() !== undefined, 'a copy')
    const found = runs()
    if (found === undefined) throw new Error('it is gone again')
    return found
  }
  return { world, log, copies, runner, employ }
}

describe('one copy on the leader', () => {
  it('begins where leadership is, with a token of its first entry, and goes where it goes', async () => {
    const { world, log, copies, runner } = await staff()
    const { leader } = await world.leader()
    const first = await runner()
    expect(first.id).toBe(leader.id)
    const { term, appliedIndex } = first.node.status()
    const token = copies.get(first.id)?.token
    expect(token).toMatchObject({ term })
    expect(token?.index).toBeGreaterThan(0)
    expect(token?.index).toBeLessThanOrEqual(appliedIndex)
    await first.node.transferLeadership()
    const second = await runner(first.id)
    expect(copies.get(first.id)?.actor).toBeNull()
    await second.node.transferLeadership()
    await runner(second.id)
    expect(checkCopies(log)).toBeGreaterThanOrEqual(3)
  })

  it('ends on a leader that is cut off before another one begins', async () => {
    const { log, runner } = await staff()
    const first = await runner()
    first.connection.disconnect()
    const second = await runner(first.id)
    const ended = log.findIndex(({ type, id }) => type === 'stopped' && id === first.id)
    const began = log.findIndex(({ type, id }) => type === 'started' && id === second.id)
    expect(ended).toBeGreaterThan(0)
    expect(ended).toBeLessThan(began)
    first.connection.reconnect()
    checkCopies(log)
  })

  it('ends with a member that is destroyed', async () => {
    const { world, log, runner } = await staff()
    const first = await runner()
    await world.kill(first)
    expect(log.at(-1)).toMatchObject({ type: 'stopped', id: first.id })
    await runner(first.id)
    checkCopies(log)
  })

  it('has time to finish when leadership is handed over, and nobody else begins before', async () => {
    const plan = { farewell: { type: 'finish' }, finishMs: 20, graceMs: 200 } as const
    const { log, copies, runner } = await staff(plan, ALL, PATIENT)
    const first = await runner()
    const { actor } = copies.get(first.id) ?? {}
    const states: unknown[] = []
    actor?.subscribe({ next: ({ value }) => states.push(value), complete: () => states.push('complete') })
    await first.node.transferLeadership()
    expect(states.slice(-3)).toEqual(['finishing', 'ended', 'complete'])
    const second = await runner(first.id)
    const last: unknown[] = []
    copies.get(second.id)?.actor?.subscribe(({ value }) => last.push(value))
    await second.node.close()
    expect(last.slice(-2)).toEqual(['finishing', 'ended'])
    checkCopies(log)
  })

  it('has time to finish when the leader gives way to a higher priority by itself', async () => {
    const plan = { farewell: { type: 'finish' }, finishMs: 20, graceMs: 100 } as const
    const { log, copies, runner } = await staff(plan, ALL, { electionTimeoutMs: 500 })
    const first = await runner()
    const heir = ALL.find((id) => id !== first.id) ?? ''
    const states: unknown[] = []
    copies.get(first.id)?.actor?.subscribe(({ value }) => states.push(value))
    await first.node.setPriority(heir, 200)
    const second = await runner(first.id)
    expect(second.id).toBe(heir)
    expect(states.slice(-2)).toEqual(['finishing', 'ended'])
    checkCopies(log)
  })

  it('is stopped when it takes too long to finish', async () => {
    const plan = { farewell: { type: 'finish' }, finishMs: 60_000, graceMs: 30 } as const
    const { world, log, copies, runner } = await staff(plan, ALL, PATIENT)
    const first = await runner()
    const actor: Actor<Worker> | null = copies.get(first.id)?.actor ?? null
    await first.node.transferLeadership()
    expect(actor?.getSnapshot()).toMatchObject({ value: 'finishing', status: 'stopped' })
    await world.leader()
    checkCopies(log)
  })

  it('goes on under a newer token when a transfer comes to nothing', async () => {
    const { world, log, copies, runner } = await staff({}, ALL, PATIENT)
    const first = await runner()
    const before = copies.get(first.id)?.token
    const other = [...world.members.values()].find(({ id }) => id !== first.id)
    other?.node.setReadonly(true)
    await until(
      () => first.node.status().replicators.some(({ readonly }) => readonly),
      'the leader to know who is read-only',
    )
    // Refused at once: the copy is left alone.
    await expect(first.node.transferLeadership(other?.id)).rejects.toMatchObject({ code: 'READONLY' })
    expect(copies.get(first.id)?.token).toEqual(before)
    other?.node.setReadonly(false)
    await until(
      () => first.node.status().replicators.every(({ readonly }) => !readonly),
      'the leader to know that nobody is',
    )
    // Begun, and never answered.
    other?.connection.disconnect()
    await expect(first.node.transferLeadership(other?.id)).rejects.toMatchObject({ code: 'TIMEOUT' })
    await runner()
    expect(copies.get(first.id)?.token).toMatchObject({ term: before?.term, index: before?.index })
    expect(copies.get(first.id)?.token?.run).toBeGreaterThan(before?.run ?? 0)
    checkCopies(log)
  })

  it('ends for good where it is stopped, and begins nowhere else by that', async () => {
    const { world, log, copies, runner } = await staff()
    const first = await runner()
    const copy = copies.get(first.id)
    await copy?.stop()
    await copy?.stop()
    expect(copy).toMatchObject({ stopped: true, actor: null, token: null })
    expect((await world.leader()).leader.id).toBe(first.id)
    await first.node.apply('still here')
    expect(log.filter(({ type }) => type === 'started')).toHaveLength(checkCopies(log))
    expect(log.at(-1)).toMatchObject({ type: 'stopped', id: first.id })
    await first.node.transferLeadership()
    await runner(first.id)
    checkCopies(log)
  })
})

describe('a copy that ends by itself', () => {
  it.each([
    ['fail', 'onFailure', true],
    ['fail', 'always', true],
    ['fail', 'never', false],
    ['done', 'onFailure', false],
    ['done', 'always', true],
    ['done', 'never', false],
  ] as const)('told to %s, with restart %s, begins again: %s', async (type, restart, again) => {
    const { log, copies, runner } = await staff({ restart, restartDelayMs: 1 }, ['n1'])
    const { id, node } = await runner()
    const term = copies.get(id)?.token?.term
    copies.get(id)?.actor?.send({ type })
    expect(log[1]).toMatchObject(
      type === 'fail' ? { type: 'failed', error: { message: 'out of order' } } : { type: 'stopped' },
    )
    if (again) {
      await runner()
      expect(copies.get(id)?.token).toMatchObject({ term, run: 2 })
    } else {
      await node.apply('time passes')
      await node.apply('and more')
      expect(copies.get(id)?.token).toBeNull()
    }
    checkCopies(log)
  })

  it('also when it cannot even be made', async () => {
    let tries = 0
    const { log, runner } = await staff(
      {
        restartDelayMs: 1,
        input: (leadership) => {
          if (++tries < 3) throw new Error('no work yet')
          return { ...leadership, work: { everyMs: 5, step: () => {} } }
        },
      },
      ['n1'],
    )
    await runner()
    expect(log.map(({ type }) => type)).toEqual(['failed', 'failed', 'started'])
    expect(log.map(({ token }) => token.run)).toEqual([1, 2, 3])
  })
})

describe('runAsLeader', () => {
  it('refuses what cannot be, with one sentence', async () => {
    const world = new World('n1')
    onTestFinished(() => world[Symbol.asyncDispose]())
    const { node } = await world.member('n1', {})
    const work = { everyMs: 5, step: () => {} }
    const input: RunAsLeaderOptions<Worker>['input'] = (leadership) => ({ ...leadership, work })
    const run = (options: Partial<RunAsLeaderOptions<Worker>>, on: RaftNode = node) => {
      const copy = runAsLeader(on, worker, { input, ...options })
      onTestFinished(() => copy.stop())
    }
    expect(() => run({})).toThrow(/needs the option leaderLease, on all members of words/)
    expect(() => run({ exclusion: 'usual', graceMs: 250 })).toThrow(/do not fit into the election timeout/)
    expect(() => run({ exclusion: 'usual', restartDelayMs: -1 })).toThrow(/restartDelayMs/)
    expect(() => run({ exclusion: 'usual' })).not.toThrow()
    const foreign = Object.create(null)
    expect(() => run({}, foreign)).toThrow(/that host.startNode of this package has started/)
  })

  it('stops by a signal', async () => {
    const controller = new AbortController()
    const { log, copies, runner } = await staff({ signal: controller.signal }, ['n1'])
    const { id } = await runner()
    controller.abort()
    expect(copies.get(id)).toMatchObject({ stopped: true, actor: null })
    expect(log.at(-1)).toMatchObject({ type: 'stopped' })
  })

  it('a promise as a copy: its signal is aborted, and it can ask whether it still holds', async () => {
    const world = new World('n1')
    onTestFinished(() => world[Symbol.asyncDispose]())
    const { node } = await world.member('n1', { leaderLease: true })
    const seen: boolean[] = []
    let ask = (): boolean | null => null
    const job = fromPromise<void, { token: FencingToken; signal: AbortSignal; holds(): boolean }>(
      ({ input: { signal, holds } }) =>
        new Promise((resolve) => {
          seen.push(signal.aborted, holds())
          signal.addEventListener('abort', () => {
            // What is begun may still be brought to its end.
            seen.push(signal.aborted, holds())
            resolve()
          })
          ask = holds
        }),
    )
    const copy = runAsLeader(node, job)
    await until(() => seen.length === 2, 'the job')
    await copy.stop()
    expect(seen).toEqual([false, true, true, true])
    expect(ask()).toBe(false)
    expectTypeOf(copy.actor).toEqualTypeOf<Actor<typeof job> | null>()
    // @ts-expect-error the worker needs more than a leadership
    expect(() => runAsLeader(node, worker)).not.toThrow()
    // @ts-expect-error the worker knows no such event
    const farewell: RunAsLeaderOptions<Worker>['farewell'] = { type: 'finnish' }
    expect(farewell).toBeDefined()
  })
})
