// A group that outlives its machines, in one process: it grows from one member to three, moves its leader, and loses the first
// machine for good. Run it with `npm run build && node dist/examples/members.js`.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Host, openHost, type RaftNode, removeGroupData, type StateMachine } from 'quorate'

const GROUP = 'notes'

class Notes implements StateMachine<string, number, null, readonly string[]> {
  #notes: string[] = []
  apply(note: string): number {
    return this.#notes.push(note)
  }
  read(): readonly string[] {
    return [...this.#notes]
  }
  snapshot(): unknown {
    return this.#notes
  }
  restore(value: unknown): void {
    this.#notes = Array.isArray(value) ? value.map(String) : []
  }
}

/** A machine of the group. Who is to be added starts without peers, and waits. */
async function machine(directory: string, id: string, peers: readonly string[] = []) {
  const host: Host = await openHost({ id, dataDir: join(directory, id) })
  const node = await host.startNode({ group: GROUP, peers, stateMachine: new Notes() })
  return { host, node }
}

/** Resolves when the member leads; a transfer resolves as soon as others know it. */
const leads = (node: RaftNode): Promise<void> =>
  new Promise((resolve) => {
    const stop = node.on('role', ({ to }) => to === 'leader' && done())
    const done = (): void => {
      stop()
      resolve()
    }
    if (node.status().role === 'leader') done()
  })

/** Returns what happened, line by line. */
export async function liveAndLeave(directory: string): Promise<readonly string[]> {
  const lines: string[] = []
  const show = (what: string, node: RaftNode): void => {
    const { peers, learners } = node.members()
    lines.push(`${what}: voters ${peers.join(', ')}; learners ${learners.join(', ') || 'none'}`)
  }
  const first = await machine(directory, 'n1', ['n1'])
  await leads(first.node)
  await first.node.apply('written when there was one')
  show('alone', first.node)

  const [second, third] = [await machine(directory, 'n2'), await machine(directory, 'n3')]
  await first.node.addPeer('n2') // given the log first, then it votes
  await first.node.addPeer({ id: 'n3', role: 'learner' }) // gets everything, and counts nowhere
  show('added', first.node)
  await first.node.promote('n3')
  show('promoted', first.node)

  await first.node.transferLeadership('n2')
  await leads(second.node)
  await second.node.apply('written when n2 led')
  await second.node.removePeer('n1')
  show('removed', second.node)

  await first.host.close()
  // The group has said that n1 is none of it, so nobody needs its files. `quorate members forget` asks, and does the same.
  await removeGroupData({ dataDir: join(directory, 'n1'), id: 'n1', group: GROUP, force: true })
  lines.push(`n3 has: ${(await third.node.read<readonly string[]>(null)).join('; ')}`)
  for (const { host } of [second, third]) await host.close()
  return lines
}

if (import.meta.filename === process.argv[1]) {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-members-'))
  for (const line of await liveAndLeave(directory)) console.log(line)
  await rm(directory, { recursive: true })
}
