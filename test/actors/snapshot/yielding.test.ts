// A save whose user code never comes back: an offer of the leader's snapshot waits for it, and not for ever.

import { describe, expect, it } from 'vitest'
import { SAVE_YIELDS_AFTER_MS } from '../../../src/rules/snapshot.ts'
import { encodeValue } from '../../../src/transport/wire/codec.ts'
import { configurationEntry, dataEntry } from '../../log/support/entries.ts'
import { type NodeRig, rig } from '../support/node-rig.ts'
import type { Command } from '../support/recorder.ts'
import { gate, Saver } from '../support/saver.ts'

async function following(machine: Saver): Promise<NodeRig> {
  const node = rig({ stateMachine: machine, tuning: { snapshotIntervalMs: 0 } }).boot()
  node.append('b', { term: 2, entries: [configurationEntry(1, 2, ['a', 'b', 'c'])], committedIndex: 1 })
  await commit(node, 2, { put: 2 })
  return node
}

async function commit(node: NodeRig, index: number, command: Command): Promise<void> {
  const entries = [{ ...dataEntry(index, 2), data: encodeValue(command) }]
  node.append('b', { term: 2, prevLogIndex: index - 1, prevLogTerm: 2, committedIndex: index, entries })
  await node.flush()
}

/** How the leader is answered that offers what the log cannot bring any more. */
async function offered(node: NodeRig): Promise<unknown> {
  const answer = node.offer('b', { term: 2, lastIncludedIndex: 50 })
  await node.flush()
  return 'state' in answer.response ? answer.response.state : null
}

async function begun(node: NodeRig) {
  const asked = node.snapshot()
  await node.flush()
  return asked
}

/** Somebody's offer has been put off for so long that the next one ends the save. */
async function givenUp(node: NodeRig): Promise<void> {
  expect(await offered(node)).toBe('busy')
  node.advance(SAVE_YIELDS_AFTER_MS)
  expect(await offered(node)).toBe('accepted')
}

describe('a save that never ends', () => {
  it.each(['captured', 'written'])(
    'gives way to an offer that has waited long enough, and whoever asked is told: %s',
    async (when) => {
      const machine = new Saver()
      const never = gate().passed
      machine.save = () => (when === 'captured' ? never : () => never)
      const node = await following(machine)
      const asked = await begun(node)
      node.advance(SAVE_YIELDS_AFTER_MS)
      expect(await offered(node)).toBe('busy')
      node.advance(SAVE_YIELDS_AFTER_MS - 1)
      expect(await offered(node)).toBe('busy')
      expect([asked.outcome, machine.signal?.aborted]).toEqual([null, false])
      node.advance(1)
      expect(await offered(node)).toBe('accepted')
      expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'ABORTED' } })
      expect(machine.signal?.aborted).toBe(true)
      expect(node.status.snapshot).toMatchObject({
        ...{ state: 'downloading', failures: 1, saves: 0 },
        lastError: expect.stringContaining('up to index 50 is needed here'),
      })
    },
  )

  it('is waited for anew each time', async () => {
    const machine = new Saver()
    const way = gate()
    machine.save = () => () => way.passed
    const node = await following(machine)
    await begun(node)
    expect(await offered(node)).toBe('busy')
    way.open()
    await commit(node, 3, { put: 3 })
    expect(node.status.snapshot).toMatchObject({ state: 'idle', saves: 1 })
    machine.save = () => () => gate().passed
    const asked = await begun(node)
    node.advance(SAVE_YIELDS_AFTER_MS)
    expect(await offered(node)).toBe('busy')
    expect(asked.outcome).toBeNull()
  })

  it('was given up, and comes back after all: it is not taken for the one that is taken then', async () => {
    const machine = new Saver()
    const [first, second] = [gate(), gate()]
    machine.save = () => () => first.passed
    const node = await following(machine)
    await begun(node)
    await givenUp(node)
    node.copied('failed')
    machine.save = () => () => second.passed
    const asked = await begun(node)
    first.open()
    await node.flush()
    expect([asked.outcome, node.status.snapshot.state]).toEqual([null, 'saving'])
    second.open()
    await node.flush()
    expect(asked.outcome).toMatchObject({ ok: true, record: { meta: { lastIncludedIndex: 2 } } })
  })

  it('was given up before its turn came: it never begins, and commands go on', async () => {
    const machine = new Saver()
    const node = await following(machine)
    await commit(node, 3, { later: 'slow' })
    const asked = await begun(node)
    await givenUp(node)
    expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'ABORTED' } })
    await machine.finish('slow')
    await commit(node, 4, { put: 4 })
    expect(machine.calls.filter((call) => call.startsWith('save'))).toEqual([])
    expect(node.status.appliedIndex).toBe(4)
  })

  it('does not keep what was fetched meanwhile from being loaded', async () => {
    const machine = new Saver()
    machine.save = () => () => gate().passed
    const node = await following(machine)
    await begun(node)
    await givenUp(node)
    await node.publishCopy(50, 2)
    node.copied('finished')
    await node.flush()
    expect(node.status).toMatchObject({
      appliedIndex: 50,
      snapshot: { state: 'idle', newest: { index: 50 } },
    })
    expect(machine.loaded).toBe('7')
  })
})
