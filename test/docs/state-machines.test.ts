import { describe, expect, it } from 'vitest'
import { Counter, Journal } from '../../examples/snapshots.ts'
import { MemoryBus, MemoryDisk, MemoryStorage, openHost, type StateMachine } from '../../src/index.ts'
import { read } from './support.ts'

/** Applies commands, takes a snapshot, and asks the machine of the next life. */
async function secondLife(make: () => StateMachine, commands: readonly unknown[], query: unknown) {
  const disk = new MemoryDisk()
  const open = async () => {
    const host = await openHost({
      ...{ id: 'a', storage: new MemoryStorage({ disk }), transport: new MemoryBus().connect('a') },
    })
    const node = await host.startNode({
      group: 'g',
      peers: ['a'],
      stateMachine: make(),
      electionTimeoutMs: 100,
    })
    return { host, node }
  }
  const before = await open()
  for (const command of commands) await before.node.apply(command)
  const { files } = await before.node.snapshot()
  await before.host.close()
  const after = await open()
  const answer = await after.node.read(query)
  await after.host.close()
  return { files, answer }
}

describe('the examples of docs/state-machines.md', () => {
  it('a small machine comes back', async () => {
    const { answer, files } = await secondLife(() => new Counter(), [{ add: 2 }, { add: 40 }], null)
    expect(answer).toBe(42)
    expect(files.map(({ name }) => name)).toEqual(['state.cbor'])
  })

  it('a large machine comes back', async () => {
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}\nwith a break and an ä`)
    const { answer, files } = await secondLife(() => new Journal(), lines, 49)
    expect(answer).toBe(lines[49])
    expect(files).toMatchObject([{ name: 'lines', userMeta: { count: 50 } }])
  })

  it('are shown on the page as they are', () => {
    expect(read('docs/state-machines.md')).toContain(`\`\`\`ts\n${read('examples/snapshots.ts')}\`\`\``)
  })
})
