// Snapshots taken because of what has been applied since the last one: bytes are counted across restarts and saves.

import { describe, expect, it } from 'vitest'
import { type NodeRig, rig } from '../support/node-rig.ts'
import { gate, Saver } from '../support/saver.ts'

const TUNING = { snapshotIntervalMs: 0, snapshotEveryBytes: 10_000 }

async function alone(machine: Saver, after?: NodeRig): Promise<NodeRig> {
  const earlier = after === undefined ? {} : { after }
  const node = rig({ peers: ['a'], stateMachine: machine, tuning: TUNING, ...earlier }).boot()
  return node.flush()
}

async function put(node: NodeRig, bytes: number): Promise<void> {
  node.propose({ put: 'x'.repeat(bytes) })
  await node.flush()
}

async function again(node: NodeRig): Promise<NodeRig> {
  node.shutdown()
  await node.flush()
  return alone(new Saver(), node)
}

describe('a snapshot by bytes', () => {
  it('is taken though the member starts again and again', async () => {
    let node = await alone(new Saver())
    for (let life = 0; life < 3; life++) {
      await put(node, 3000)
      expect(node.status.snapshot.saves).toBe(0)
      node = await again(node)
    }
    await put(node, 1000)
    expect(node.status.snapshot).toMatchObject({ saves: 1, newest: { index: node.status.lastIndex } })
  })

  it('counts from the last one, after a restart as well', async () => {
    let node = await alone(new Saver())
    await put(node, 10_000)
    expect(node.status.snapshot.saves).toBe(1)
    await put(node, 5000)
    node = await again(node)
    await put(node, 4000)
    expect(node.status.snapshot.saves).toBe(0)
    await put(node, 1000)
    expect(node.status.snapshot.saves).toBe(1)
  })

  it('counts what was applied while one was written', async () => {
    const machine = new Saver()
    const way = gate()
    machine.save = () => () => way.passed
    const node = await alone(machine)
    await put(node, 10_000)
    await put(node, 9000)
    way.open()
    await node.flush()
    expect(node.status.snapshot.saves).toBe(1)
    await put(node, 1000)
    expect(node.status.snapshot.saves).toBe(2)
  })
})
