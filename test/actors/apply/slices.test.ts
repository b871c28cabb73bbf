// User code that takes its time: slices, queries between entries, and queries that take longer than that.

import { describe, expect, it } from 'vitest'
import type { StateMachine } from '../../../src/state-machine.ts'
import { type NodeRig, rig } from '../support/node-rig.ts'

/** Every command costs a millisecond of the loop. */
function slowly(): { readonly node: NodeRig; readonly applied: number[] } {
  const applied: number[] = []
  const node: NodeRig = rig({
    peers: ['a'],
    stateMachine: {
      apply: (_, { index }) => {
        node.clock.sleep(1)
        applied.push(index)
      },
      read: () => applied.length,
    },
  })
  return { node: node.boot(), applied }
}

describe('a synchronous state machine of a millisecond a command', () => {
  it('is called for ten milliseconds at a time, and others have their turn in between', () => {
    const { node, applied } = slowly()
    for (let i = 0; i < 100; i++) node.propose({ put: i })
    const perTurn: number[] = []
    for (let turn = 0; applied.length < 100 && turn < 100; turn++) {
      const before = applied.length
      node.clock.turn()
      perTurn.push(applied.length - before)
    }
    expect(applied).toHaveLength(100)
    expect(Math.max(...perTurn)).toBe(10)
  })

  it('is asked between slices, not behind everything that is committed', () => {
    const { node, applied } = slowly()
    for (let i = 0; i < 1000; i++) node.propose({ put: i })
    while (applied.length === 0) node.clock.turn()
    const asked = node.query('count', 'local')
    node.clock.turn()
    node.clock.turn()
    expect(asked.outcome).toMatchObject({ ok: true })
    expect(applied.length).toBeLessThan(50)
  })

  it('tells the node how far it has come after each slice', () => {
    const { node, applied } = slowly()
    for (let i = 0; i < 30; i++) node.propose({ put: i })
    while (applied.length < 10) node.clock.turn()
    expect(node.handle.status().appliedIndex).toBe(applied.at(-1))
  })
})

describe('a slice', () => {
  it.each([
    [1, 1],
    [3, 3],
    [10, 10],
    [11, 11],
  ])('of %i ms takes %i commands of one millisecond', (maxApplySliceMs, most) => {
    const applied: number[] = []
    const node: NodeRig = rig({
      peers: ['a'],
      tuning: { maxApplySliceMs },
      stateMachine: {
        apply: (_, { index }) => {
          node.clock.sleep(1)
          applied.push(index)
        },
      },
    })
    node.boot()
    for (let i = 0; i < 40; i++) node.propose({ put: i })
    let longest = 0
    for (let turn = 0; applied.length < 40 && turn < 100; turn++) {
      const before = applied.length
      node.clock.turn()
      longest = Math.max(longest, applied.length - before)
    }
    expect(longest).toBe(most)
  })
})

/** Lets promises that are settled tell whoever waits for them. */
async function microtasks(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

/** Two numbers that are equal between commands; commands and queries take as long as the test likes. */
class Pair implements StateMachine<'add', void, 'pair', readonly number[]> {
  left = 0
  right = 0
  readonly waiting: (() => void)[] = []
  asked = 0
  readonly applies: 'at once' | 'later'

  constructor(applies: 'at once' | 'later') {
    this.applies = applies
  }

  apply(): void | Promise<void> {
    this.left++
    if (this.applies === 'at once') {
      this.right++
      return
    }
    return this.#pause().then(() => {
      this.right++
    })
  }

  async read(): Promise<readonly number[]> {
    this.asked++
    const { left } = this
    await this.#pause()
    return [left, this.right]
  }

  /** The oldest one that waits goes on. */
  async goOn(): Promise<void> {
    this.waiting.shift()?.()
    await microtasks()
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }
}

function pairOf(applies: 'at once' | 'later', tuning = {}) {
  const machine = new Pair(applies)
  const node = rig({ peers: ['a'], stateMachine: machine, tuning }).boot()
  return { machine, node }
}

describe('an asynchronous query', () => {
  it('holds back what is committed meanwhile, and never sees half of it', async () => {
    const { machine, node } = pairOf('at once')
    const read = node.query('pair', 'local')
    node.settle()
    const written = node.propose('add' as never)
    node.settle()
    expect([machine.left, written.outcome]).toEqual([0, null])
    await machine.goOn()
    node.settle()
    expect(read.outcome).toEqual({ ok: true, answer: [0, 0] })
    expect(written.outcome).toMatchObject({ ok: true })
  })

  it('waits for an asynchronous command, and never sees half of that', async () => {
    const { machine, node } = pairOf('later')
    node.propose('add' as never)
    node.settle()
    const read = node.query('pair', 'local')
    node.settle()
    expect([machine.left, machine.right, machine.asked]).toEqual([1, 0, 0])
    await machine.goOn()
    node.settle()
    await machine.goOn()
    expect(read.outcome).toEqual({ ok: true, answer: [1, 1] })
  })

  it('is asked between asynchronous commands, not behind all of them', async () => {
    const { machine, node } = pairOf('later')
    for (let i = 0; i < 1000; i++) node.propose('add' as never)
    node.settle()
    const read = node.query('pair', 'local')
    node.settle()
    await machine.goOn()
    node.settle()
    await machine.goOn()
    expect(read.outcome).toEqual({ ok: true, answer: [1, 1] })
  })

  it('goes with others that are due at the same time, and then it is the turn of the commands', async () => {
    const { machine, node } = pairOf('at once')
    const first = [node.query('pair', 'local'), node.query('pair', 'local')]
    node.settle()
    expect(machine.asked).toBe(2)
    node.propose('add' as never)
    node.settle()
    const late = node.query('pair', 'local')
    node.settle()
    expect(machine.asked).toBe(2)
    await machine.goOn()
    await machine.goOn()
    node.settle()
    expect(first.map(({ outcome }) => outcome)).toEqual([0, 0].map(() => ({ ok: true, answer: [0, 0] })))
    await machine.goOn()
    expect(late.outcome).toEqual({ ok: true, answer: [1, 1] })
  })

  it('that never answers holds commands back for maxReadHoldMs, not longer', async () => {
    const { machine, node } = pairOf('at once', { maxReadHoldMs: 300 })
    const read = node.query('pair', 'local')
    node.settle().advance(5000)
    expect(read.outcome).toBeNull()
    const written = node.propose('add' as never)
    node.settle().advance(299)
    expect([read.outcome, written.outcome]).toEqual([null, null])
    node.advance(1)
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'TIMEOUT', outcome: 'not-applied' } })
    expect(written.outcome).toMatchObject({ ok: true })
    // What it says after all is not heard.
    await machine.goOn()
    expect(node.settle().query('pair', 'local').outcome).toBeNull()
  })
})

describe('entries that have left memory before they are applied', () => {
  const tuning = { maxCachedLogBytes: 0 }

  it('are read back without holding up the loop, and applied in order', () => {
    const node = rig({ peers: ['a'], tuning }).boot()
    node.propose({ later: 'slow' })
    for (let put = 0; put < 50; put++) node.propose({ put })
    node.settle()
    expect(node.handle.core.log.firstCachedIndex).toBeGreaterThan(50)
    return node.machine.finish('slow').then(() => {
      node.settle()
      expect(node.machine.applied.map(({ index }) => index)).toEqual(
        Array.from({ length: 51 }, (_, i) => i + 2),
      )
      expect(node.storage.entriesRead).toBe(0)
    })
  })
})
