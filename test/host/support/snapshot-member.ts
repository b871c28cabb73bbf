// A member of one, on a disk in memory, whose state machine saves and loads as a test says.

import { afterEach } from 'vitest'
import {
  type Host,
  MemoryBus,
  MemoryDisk,
  MemoryStorage,
  openHost,
  type RaftNode,
  type SnapshotReader,
  type SnapshotWriter,
  type StateMachine,
} from '../../../src/index.ts'

const hosts: Host[] = []
afterEach(async () => {
  for (const host of hosts.splice(0).reverse()) await host.close()
})

export type Save = NonNullable<StateMachine['onSnapshotSave']>
export type Load = (reader: SnapshotReader, signal: AbortSignal) => void | Promise<void>

/** Starts on `disk` with one command applied, so that there is something to save. */
export async function memberOn(disk: MemoryDisk, save: Save, load: Load = () => {}): Promise<RaftNode> {
  const host = await openHost({
    id: 'a',
    storage: new MemoryStorage({ disk }),
    transport: new MemoryBus().connect('a'),
  })
  hosts.push(host)
  const stateMachine: StateMachine = {
    apply: (command) => command,
    read: (query) => query,
    onSnapshotSave: save,
    onSnapshotLoad: load,
  }
  const node = await host.startNode({ group: 'g', peers: ['a'], stateMachine, electionTimeoutMs: 50 })
  await node.apply('one')
  return node
}

/** Takes a snapshot of a new member in this way. */
export async function saved(save: Save): Promise<Awaited<ReturnType<RaftNode['snapshot']>>> {
  return (await memberOn(new MemoryDisk(), save)).snapshot()
}

/** Saves, ends, and lets the next life load it. */
export async function reloaded(write: (writer: SnapshotWriter) => unknown, load: Load): Promise<RaftNode> {
  const disk = new MemoryDisk()
  const node = await memberOn(disk, async (writer) => void (await write(writer)))
  await node.snapshot()
  await hosts.pop()?.close()
  return memberOn(disk, () => {}, load)
}
