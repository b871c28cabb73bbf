// The thread that keeps snapshots on disk dies: whoever waits for it is told, and so is whoever comes later; nobody hangs.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, expect, it } from 'vitest'
import { type Host, MemoryBus, openHost, type SnapshotWriter, type StateMachine } from '../../src/index.ts'
import { gate } from '../actors/support/saver.ts'
import { rejection, until } from './support/world.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** Threads that are started from now on. */
function watchThreads(): readonly Worker[] {
  const threads: Worker[] = []
  const note = (thread: Worker): void => {
    threads.push(thread)
  }
  process.on('worker', note)
  undo.push(() => process.off('worker', note))
  return threads
}

/** A machine whose second save waits in the middle. */
class Slow implements StateMachine {
  saves = 0
  readonly middle = gate()
  readonly way = gate()
  failure: unknown = null

  apply(command: unknown): unknown {
    return command
  }

  onSnapshotSave(writer: SnapshotWriter): () => Promise<void> {
    this.saves++
    return async () => {
      await writer.addFile('first', new Uint8Array(300_000))
      if (this.saves === 1) return
      this.middle.open()
      await this.way.passed
      await writer.addFile('second', new Uint8Array(300_000)).catch((error: unknown) => {
        this.failure = error
        throw error
      })
    }
  }

  onSnapshotLoad(): void {}
}

/** A member of one that has taken a snapshot, and the thread that has written it. */
async function member() {
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-thread-'))
  undo.push(() => rmSync(dataDir, { recursive: true, force: true }))
  const machine = new Slow()
  const open = async (): Promise<Host> => {
    const host = await openHost({ id: 'a', dataDir, transport: new MemoryBus().connect('a') })
    undo.push(() => host.close())
    return host
  }
  const host = await open()
  const options = { peers: ['a'], electionTimeoutMs: 100, drainTimeoutMs: 200 }
  const node = await host.startNode({ group: 'g', stateMachine: machine, ...options })
  await node.apply('one')
  const threads = watchThreads()
  await node.snapshot()
  expect(threads.length).toBe(1)
  await node.apply('two')
  return { host, node, machine, thread: threads[0], options, open }
}

const LOST = {
  code: 'STORAGE',
  message: expect.stringMatching(
    /snapshot thread of .* ended \(.+\): snapshots that were not published are lost/,
  ),
}

const deaths: Readonly<Record<string, (thread: Worker | undefined) => unknown>> = {
  'is terminated': (thread) => thread?.terminate(),
  'ends by itself': (thread) => thread?.postMessage('stop'),
  // No request that it knows: it throws where nobody catches.
  crashes: (thread) => thread?.postMessage(null),
}

it.each(Object.entries(deaths))('in the middle of a save: %s', async (_, kill) => {
  const { host, node, machine, thread, options } = await member()
  const asked = rejection(node.snapshot())
  await machine.middle.passed
  // What is asked of it from here on is never answered.
  void kill(thread)
  machine.way.open()
  expect(await asked).toMatchObject(LOST)
  expect(machine.failure).not.toBeNull()
  await until(() => node.status().role === 'error', 'the node to say so')
  expect(node.status().error).toMatch(/snapshot thread/)
  expect(await rejection(node.apply('three'))).toMatchObject({ code: 'NODE_FAILED' })
  expect(await rejection(host.startNode({ group: 'h', stateMachine: new Slow(), ...options }))).toMatchObject(
    {
      code: 'STORAGE',
    },
  )
  await host.close()
})

it.each(Object.entries(deaths))(
  'while nobody waits for it: %s; commands go on until a snapshot is wanted',
  async (_, kill) => {
    const { host, node, machine, thread } = await member()
    const gone = new Promise((resolve) => thread?.once('exit', resolve))
    await kill(thread)
    await gone
    expect(await node.apply('three')).toMatchObject({ result: 'three' })
    machine.way.open()
    expect(await rejection(node.snapshot())).toMatchObject(LOST)
    await until(() => node.status().role === 'error', 'the node to say so')
    await host.close()
  },
)

it('what was published before is found at the next start', async () => {
  const { host, node, thread, options, open } = await member()
  await thread?.terminate()
  await rejection(node.snapshot())
  await host.close()
  const again = await open()
  const next = await again.startNode({ group: 'g', stateMachine: new Slow(), ...options })
  expect(next.status().snapshot.newest).toMatchObject({ index: 2 })
  expect(await next.apply('three')).toMatchObject({ result: 'three' })
})
