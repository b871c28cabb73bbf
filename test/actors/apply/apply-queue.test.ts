// The apply queue: what is handed to the user, and in which order; scenarios FC-01 to FC-03, traps T86 to T89.

import { describe, expect, it } from 'vitest'
import type { ExclusiveTask } from '../../../src/actors/apply/apply-queue.events.ts'
import type { LogId } from '../../../src/rules/types.ts'
import type { StateMachine } from '../../../src/state-machine.ts'
import { encodeValue } from '../../../src/transport/wire/codec.ts'
import { configurationEntry, dataEntry } from '../../log/support/entries.ts'
import { type NodeRig, rig } from '../support/node-rig.ts'
import type { Command } from '../support/recorder.ts'

const alone = () => rig({ peers: ['a'] }).boot()

/** A follower with these commands in its log, durable and not committed. */
function followerWith(commands: readonly Command[], tuning = {}): NodeRig {
  const node = rig({ tuning }).boot()
  const entries = [
    configurationEntry(1, 2, ['a', 'b', 'c']),
    ...commands.map((command, i) => ({ ...dataEntry(i + 2, 2), data: encodeValue(command) })),
  ]
  node.append('b', { term: 2, entries })
  return node.settle()
}
function commit(node: NodeRig, index: number): void {
  node.heartbeat('b', { term: 2, prevLogIndex: index, prevLogTerm: 2, committedIndex: index })
}
const applied = (node: NodeRig) => node.machine.applied.map(({ index }) => index)

describe('FC-01: committed entries', () => {
  const thousand = Array.from({ length: 1000 }, (_, put) => ({ put }))

  it('are all applied in order before the shutdown hook, though shutdown was asked for at once', () => {
    const node = followerWith(thousand)
    commit(node, 1001)
    node.shutdown().settle()
    expect(applied(node)).toEqual(thousand.map((_, i) => i + 2))
    expect(node.machine.calls.at(-1)).toBe('shutdown')
    expect(node.machine.calls.filter((call) => call === 'shutdown')).toHaveLength(1)
  })

  it('are applied once, whatever the order and number of notices', () => {
    const node = followerWith(thousand.slice(0, 10))
    for (const index of [3, 7, 5, 7, 11, 11, 2]) commit(node, index)
    node.settle()
    expect(applied(node)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  it('let others have their turn between batches', () => {
    const node = followerWith(thousand.slice(0, 10), { maxApplyBatch: 4 })
    commit(node, 11)
    expect(applied(node)).toEqual([2, 3, 4])
    node.clock.turn()
    expect(applied(node)).toEqual([2, 3, 4, 5, 6, 7, 8])
    node.settle()
    expect(applied(node)).toHaveLength(10)
    expect(node.handle.status().appliedIndex).toBe(11)
  })

  it('reach the state machine with their position, and the values they were proposed with', () => {
    const node = followerWith([{ put: { deep: [1, 'two', null] } }])
    commit(node, 2)
    node.settle()
    expect(node.machine.applied).toEqual([
      { index: 2, term: 2, command: { put: { deep: [1, 'two', null] } } },
    ])
  })
})

it('FC-02: a leader stop without a start calls the stop hook once, and the start hook never', () => {
  const node = rig().boot().lead()
  node.heartbeat('b', { term: 9 })
  node.settle()
  expect(node.machine.calls.filter((call) => call.startsWith('leaderSt'))).toEqual(['leaderStop NEW_LEADER'])
})

describe('FC-03: work on the whole state', () => {
  function task(node: NodeRig, name: string, after: LogId | Promise<LogId>, ended: unknown[]): ExclusiveTask {
    return {
      run: (position, configuration) => {
        node.machine.calls.push(
          `${name} at ${position.index}/${position.term} ${configuration?.peers.join(',')}`,
        )
        return after
      },
      done: (error) => ended.push([name, error?.message ?? null]),
    }
  }

  it('goes through the same queue, in its place, once, and before the shutdown', () => {
    const node = followerWith([{ put: 1 }, { put: 2 }])
    const ended: unknown[] = []
    const queue = node.handle.core
    commit(node, 2)
    queue.toApplyQueue({ type: 'snapshotSave', task: task(node, 'save', { index: 2, term: 2 }, ended) })
    commit(node, 3)
    queue.toApplyQueue({ type: 'snapshotLoad', task: task(node, 'load', { index: 3, term: 2 }, ended) })
    node.shutdown().settle()
    expect(node.machine.calls.filter((call) => !call.includes('ollowing'))).toEqual([
      'configuration a,b,c @1',
      'apply 2',
      'save at 2/2 a,b,c',
      'apply 3',
      'load at 3/2 a,b,c',
      'shutdown',
    ])
    expect(ended).toEqual([
      ['save', null],
      ['load', null],
    ])
  })

  it('keeps everything else waiting while it goes on, and moves the applied position', async () => {
    const node = followerWith([{ put: 1 }, { put: 2 }])
    const ended: unknown[] = []
    let finish: (position: LogId) => void = () => {}
    const loading = new Promise<LogId>((resolve) => {
      finish = resolve
    })
    node.handle.core.toApplyQueue({ type: 'snapshotLoad', task: task(node, 'load', loading, ended) })
    commit(node, 3)
    const read = node.query('q', 'local')
    node.settle()
    expect([applied(node), read.outcome]).toEqual([[], null])
    finish({ index: 2, term: 2 })
    await loading
    await Promise.resolve()
    node.settle()
    expect([applied(node), ended]).toEqual([[3], [['load', null]]])
    expect(read.outcome).toMatchObject({ ok: true })
  })

  it('that fails tells its caller, and what follows goes on', () => {
    const node = followerWith([{ put: 1 }])
    const ended: unknown[] = []
    node.handle.core.toApplyQueue({
      type: 'snapshotSave',
      task: {
        run: () => {
          throw new Error('disk full')
        },
        done: (error) => ended.push(error?.message),
      },
    })
    commit(node, 2)
    node.settle()
    expect([ended, applied(node)]).toEqual([['disk full'], [2]])
  })

  it('is refused once the node has failed', () => {
    const node = followerWith([{ throw: 'no' }])
    commit(node, 2)
    node.settle()
    const ended: unknown[] = []
    node.handle.core.toApplyQueue({
      type: 'snapshotSave',
      task: task(node, 'save', { index: 2, term: 2 }, ended),
    })
    node.settle()
    expect(ended).toEqual([['save', 'The node is in its error state.']])
    expect(node.machine.calls.filter((call) => call.startsWith('save'))).toEqual([])
  })
})

describe('an asynchronous state machine', () => {
  it('is never called again before it has come back', async () => {
    const node = alone()
    const [slow, next] = [node.propose({ later: 'slow' }), node.propose({ put: 1 })]
    node.settle()
    expect(node.machine.calls.slice(-1)).toEqual(['apply 2'])
    expect([slow.outcome, next.outcome]).toEqual([null, null])
    expect(node.handle.status()).toMatchObject({ commitIndex: 3, appliedIndex: 1 })
    await node.machine.finish('slow')
    node.settle()
    expect(slow.outcome).toEqual({ ok: true, index: 2, term: 2, result: 'did slow' })
    expect(next.outcome).toMatchObject({ ok: true, index: 3 })
  })

  it('answers queries only between commands', async () => {
    const node = alone()
    node.propose({ later: 'slow' })
    node.settle()
    const read = node.query('q', 'local')
    node.settle()
    expect([read.outcome, node.machine.calls.includes('read')]).toEqual([null, false])
    await node.machine.finish('slow')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: true })
  })

  it('that rejects stops the node like one that throws', async () => {
    const node = alone()
    const [slow, next] = [node.propose({ later: 'slow' }), node.propose({ put: 1 })]
    node.settle()
    await node.machine.finish('slow', new Error('broken'))
    node.settle()
    expect(node.state).toBe('error')
    expect([slow.outcome, next.outcome]).toMatchObject([
      { ok: false, error: { code: 'STATE_MACHINE', outcome: 'unknown' } },
      { ok: false, error: { code: 'STATE_MACHINE', outcome: 'unknown' } },
    ])
    expect(applied(node)).toEqual([2])
  })

  it('that comes back after the node is gone calls nobody', async () => {
    const node = alone()
    const slow = node.propose({ later: 'slow' })
    node.propose({ put: 1 })
    node.settle().handle.destroy()
    await node.machine.finish('slow')
    node.settle()
    expect(slow.outcome).toBeNull()
    expect(applied(node)).toEqual([2])
  })
})

describe('user code that throws', () => {
  it('stops the node: earlier entries stay applied, the entry is not skipped, each caller is told once', () => {
    const node = alone()
    const asked = [node.propose({ put: 1 }), node.propose({ throw: 'cannot' }), node.propose({ put: 3 })]
    node.settle()
    expect(asked.map(({ outcome }) => outcome)).toMatchObject([
      { ok: true, index: 2 },
      {
        ok: false,
        error: {
          code: 'STATE_MACHINE',
          outcome: 'unknown',
          message: 'The state machine failed at index 3: cannot',
        },
      },
      { ok: false, error: { code: 'STATE_MACHINE', outcome: 'unknown' } },
    ])
    expect(node.state).toBe('error')
    expect(node.handle.status()).toMatchObject({
      appliedIndex: 2,
      commitIndex: 4,
      pendingProposals: 0,
      error: 'The state machine failed at index 3: cannot',
    })
    expect(applied(node)).toEqual([2])
    expect(node.machine.errors.map(({ message }) => message)).toEqual([
      'The state machine failed at index 3: cannot',
    ])
  })

  it('on a follower stops it as well', () => {
    const node = followerWith([{ put: 1 }, { throw: 'cannot' }, { put: 3 }])
    commit(node, 4)
    node.settle()
    expect([node.state, applied(node)]).toEqual(['error', [2]])
  })

  it('is not called with later entries, and still hears what happens to the node', () => {
    const node = followerWith([{ throw: 'cannot' }, { put: 3 }])
    commit(node, 3)
    node.settle().shutdown().settle()
    expect(node.machine.calls.slice(1)).toEqual([
      'configuration a,b,c @1',
      'apply 2',
      'error',
      'stopFollowing b 2 NODE_FAILED',
      'shutdown',
    ])
  })

  it('refuses queries from then on', () => {
    const node = followerWith([{ throw: 'cannot' }])
    commit(node, 2)
    node.settle()
    const read = node.query('q', 'local')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'STATE_MACHINE' } })
  })

  it('in a hook harms nothing', () => {
    const calls: string[] = []
    const machine: StateMachine = {
      apply: () => 'fine',
      onLeaderStart: () => {
        calls.push('start')
        throw new Error('hook')
      },
      onConfigurationCommitted: () => {
        throw new Error('hook')
      },
      onShutdown: () => {
        throw new Error('hook')
      },
    }
    const node = rig({ peers: ['a'], stateMachine: machine }).boot()
    const asked = node.propose({ put: 1 })
    node.settle()
    expect([asked.outcome?.ok, calls]).toEqual([true, ['start']])
    node.shutdown().settle()
    expect(node.ended).toBe(true)
  })
})

it('a committed command that is no CBOR stops the node instead of being skipped', () => {
  const node = rig().boot()
  const entries = [
    configurationEntry(1, 2, ['a', 'b', 'c']),
    { ...dataEntry(2, 2), data: Uint8Array.of(0xff) },
  ]
  node.append('b', { term: 2, entries })
  node.settle()
  commit(node, 2)
  node.settle()
  expect(node.state).toBe('error')
  expect(node.handle.status().error).toMatch(/failed at index 2: the command is not valid CBOR/)
})

it('a committed entry that the disk has lost stops the node', () => {
  const node = followerWith([{ put: 1 }], { maxCachedLogBytes: 0 })
  node.shutdown().settle()
  const again = rig({ disk: { ...node.disk, entries: [...node.disk.entries] } }).boot()
  again.disk.entries.splice(1)
  commit(again, 2)
  again.settle()
  expect(again.state).toBe('error')
  expect(again.handle.status().error).toMatch(/The log cannot be read/)
})
