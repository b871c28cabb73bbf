// Fail-stop that stops: an exception anywhere in a chart, in a guard, an action, a delay or an input, must not leave a node
// that goes on talking. Thrown from each of them in turn, in the middle of a life.

import { afterEach, describe, expect, it } from 'vitest'
import { charts } from '../../../scripts/statecharts/charts.ts'
import { timers } from '../../../src/actors/node/node.timers.ts'
import { NO_ENTRIES_OF, type NodeRig, rig } from '../support/node-rig.ts'

type Holder = Record<string, unknown>
let undo: (() => void)[] = []
afterEach(() => {
  for (const step of undo) step()
  undo = []
})

const defect = new Error('a defect of ours')

/** From now on this part of a chart throws. */
function sabotage(holder: Holder, key: string): void {
  const original = holder[key]
  const fails = (): never => {
    throw defect
  }
  if (typeof original === 'function' && 'resolve' in original) {
    const { resolve } = original
    original.resolve = fails
    undo.push(() => {
      original.resolve = resolve
    })
    return
  }
  holder[key] = fails
  undo.push(() => {
    holder[key] = original
  })
}

const parts = charts.flatMap(({ name, machine }) =>
  (['guards', 'actions', 'delays'] as const).flatMap((kind) =>
    Object.keys(machine.implementations[kind]).map((key) => ({
      name: `${name}: ${kind.slice(0, -1)} ${key}`,
      break: () => sabotage(machine.implementations[kind] as Holder, key),
    })),
  ),
)
const inputs = Object.keys(timers).map((key) => ({
  name: `node: input of the timer ${key}`,
  break: () => sabotage(timers as Holder, key),
}))

/** Everything that can happen to a node happens to it, in the office it holds. */
async function live(node: NodeRig): Promise<void> {
  node.propose({ put: 1 })
  node.query('q')
  node.settle()
  node.preVote('b', { term: 1 })
  node.append('b', { term: 1, ...NO_ENTRIES_OF })
  node.heartbeat('c', { term: 1 })
  node.timeoutNow('b', 1)
  node.readIndex('b', 2)
  node.advance(150)
  for (const call of [...node.rpc.calls('heartbeat'), ...node.rpc.calls('append_entries')])
    if (call.isOpen)
      call.answer({ term: 2, success: true, lastLogIndex: 1, conflictTerm: 0, conflictIndex: 0 })
  node.settle().advance(3000)
  node.requestVote('b', { term: 9, lastLogIndex: 99, lastLogTerm: 8 })
  node.settle().advance(5000)
  node.shutdown().settle().advance(20_000)
}

describe.each([...parts, ...inputs])('$name', ({ break: breakIt }) => {
  it.each(['leader', 'follower'] as const)('throwing ends the %s, if it is ever used', async (seat) => {
    const node = rig().boot()
    if (seat === 'leader') node.establish()
    else node.follow('b', 2)
    const asked = [node.propose({ put: 0 }), node.query('q', 'local')]
    breakIt()
    // A test may meet requests that the node does not listen to any more.
    await live(node).catch((error: unknown) => {
      if (!String(error).includes('does not listen')) throw error
    })
    node.shutdown().settle().advance(60_000)
    for (const step of undo) step()
    // It has ended, or goes on healthily because the part was not needed. In both cases nobody waits,
    expect(node.ended).toBe(true)
    expect(asked.map(({ outcome }) => outcome === null)).toEqual([false, false])
    expect([node.handle.pendingProposals, node.handle.pendingQueries]).toEqual([0, 0])
    // and nothing is said or planned any more.
    node.rpc.forget()
    expect(node.clock.pendingTimers).toBe(0)
    node.settle().advance(60_000)
    expect(node.rpc.log).toEqual([])
    expect(node.rpc.isServed).toBe(false)
  })
})

describe('a chart that crashes', () => {
  it('falls silent at once: no heartbeat keeps the followers loyal', () => {
    const node = rig().boot().establish()
    const asked = node.propose({ put: 1 })
    node.settle()
    node.handle.core.life.self?.send({ type: 'xstate.error.actor.log', error: defect } as never)
    expect(node.handle.status()).toMatchObject({ role: 'error', error: 'a defect of ours' })
    expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'NODE_FAILED', outcome: 'unknown' } })
    node.rpc.forget()
    node.settle().advance(10_000)
    expect([node.rpc.log, node.rpc.isServed, node.clock.pendingTimers]).toEqual([[], false, 0])
  })

  it('lets go of its group, so that it can be opened again', () => {
    const node = rig().boot().establish()
    node.handle.core.life.self?.send({ type: 'xstate.error.actor.log', error: defect } as never)
    node.settle()
    expect(node.storage.isOpen('g')).toBe(false)
  })
})
