// `quorate verify`: members of this process on a real bus, in good order and with one that is not like the others; and the
// files of a member, running and stopped.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { connectClient, type QuorateClient } from '../../src/client.ts'
import { type Host, openHost, type RaftNode } from '../../src/index.ts'
import { KeyValueStore } from '../../src/machines/kv.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MemoryDisk, MemoryStorage } from '../../src/storage/memory/memory-storage.ts'
import { EntryChecksum } from '../../src/storage/sqlite/checksum.ts'
import { connectNats } from '../../src/transport/nats/connect-nats.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, runCli } from './run-cli.ts'

const IDS = ['n1', 'n2', 'n3'] as const
const QUICK = { electionTimeoutMs: 500, maxClockDriftMs: 500, maxElectionDelayMs: 200 }

const reportSchema = z.object({
  equal: z.boolean(),
  differing: z.array(z.string()),
  missing: z.array(z.string()),
  members: z.array(
    z.strictObject({
      member: z.string(),
      index: z.number(),
      hash: z.string().nullable(),
      problem: z.string().nullable(),
    }),
  ),
})

/** Forgets, when the test says so, what the others remember. */
class Forgetful extends KeyValueStore {
  isForgetful = false

  override apply(command: unknown) {
    return super.apply(this.isForgetful ? ['delete', 'nothing'] : command)
  }
}

let server: NatsServer
let client: QuorateClient
const machines = new Map(IDS.map((id) => [id, new Forgetful()]))
const nodes = new Map<string, RaftNode>()
const hosts: Host[] = []
const buses: Transport[] = []

/** Without a directory its disk is in memory. */
async function open(id: string, dataDir?: string): Promise<{ host: Host; transport: Transport }> {
  const transport = await connectNats({ servers: server.url, id })
  buses.push(transport)
  const inMemory = () => new MemoryStorage({ clock: systemClock, disk: new MemoryDisk() })
  const host = await openHost({
    id,
    transport,
    ...(dataDir === undefined ? { storage: inMemory() } : { dataDir }),
  })
  hosts.push(host)
  return { host, transport }
}

beforeAll(async () => {
  server = await NatsServer.start()
  for (const id of IDS) {
    const { host, transport } = await open(id)
    const stateMachine = machines.get(id) ?? new Forgetful()
    const node = await host.startNode({ group: 'demo', peers: IDS, stateMachine, ...QUICK })
    nodes.set(id, node)
    attachServices({ transport, node })
  }
  const transport = await connectNats({ servers: server.url, id: 'app' })
  buses.push(transport)
  client = connectClient({ transport, group: 'demo' })
  // Who is elected first may have to give way to somebody who stood with him: then it is not known what came of the command.
  await vi.waitFor(() => client.apply(['put', 'k', 'v']), { timeout: 15_000 })
})
afterAll(async () => {
  client?.close()
  for (const host of hosts) await host.close()
  for (const bus of buses) await bus.close()
  await server?.stop()
})

const verify = (...args: string[]) => runCli(['verify', ...args, '--nats', server.url])

async function verified(...args: string[]) {
  const { code, stdout, stderr } = await verify('--json', ...args)
  return { code, stderr, ...reportSchema.parse(jsonLines(stdout)[0]) }
}

/** Writes until it is told to stop, several at a time. */
function load(): { readonly stop: () => Promise<void> } {
  let open = true
  const writers = Array.from({ length: 64 }, async (_, writer) => {
    for (let at = 0; open; at++) await client.apply(['put', `${writer}`, `${at}`])
  })
  return {
    stop: async () => {
      open = false
      await Promise.all(writers)
    },
  }
}

describe('a group', () => {
  test('of equal states is equal, at one index, idle and while entries keep coming', async () => {
    const { code, stdout, stderr } = await verify()
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/member +│ index +│ state hash/)
    expect(stdout).toMatch(/\nAll 3 members of group demo have the same state at index \d+\.\n$/)
    const before = nodes.get('n1')?.status().appliedIndex ?? 0
    const writing = load()
    await vi.waitFor(
      () => expect(nodes.get('n1')?.status().appliedIndex).toBeGreaterThan(before + 500),
      10_000,
    )
    const busy = await verified()
    await writing.stop()
    expect(busy).toMatchObject({ code: 0, stderr: '', equal: true, differing: [], missing: [] })
    expect(busy.members.map(({ member }) => member)).toEqual([...IDS])
    const [first] = busy.members
    expect(new Set(busy.members.map(({ index, hash }) => `${index} ${hash}`))).toEqual(
      new Set([`${first?.index} ${first?.hash}`]),
    )
    expect(first?.index).toBeGreaterThan(before + 500)
  })

  test('with a member that does not answer, and then with one of another state, names it', async () => {
    const { code, stderr } = await verify('--group', 'nobody')
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^No member of group nobody answers on/)])

    const third = machines.get('n3')
    if (third === undefined) throw new Error('no machine')
    third.isForgetful = true
    await client.apply(['put', 'k', 'other'])
    const differing = await verified()
    expect(differing).toMatchObject({ code: 1, equal: false, differing: ['n3'], missing: [] })
    expect(differing.stderr).toMatch(
      /^n3 differs from n1, n2 at index \d+: the state machine is not determ.*\n$/,
    )

    third.stateHash = () => {
      throw new Error('no paper')
    }
    const failing = await verified()
    expect(failing).toMatchObject({ code: 1, equal: false, differing: [], missing: ['n3'] })
    expect(failing.stderr).toMatch(/no paper/)

    await nodes.get('n3')?.close()
    await hosts[2]?.close()
    await buses[2]?.close()
    const away = await verified()
    expect(away).toMatchObject({ code: 1, equal: false, differing: [], missing: ['n3'] })
    expect(away.stderr).toBe('n3 is not there, or is of a version that cannot be asked.\n')
  })
})

describe('the files of a member', () => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'quorate-verify-'))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const findingsSchema = z.object({
    whole: z.boolean(),
    findings: z.array(z.object({ check: z.string(), verdict: z.string(), says: z.string() })),
  })
  const rowSchema = z.object({ number: z.number(), type: z.number(), data: z.instanceof(Uint8Array) })
  async function look() {
    const { code, stdout } = await runCli(['verify', '--data', directory, '--json'])
    const { whole, findings } = findingsSchema.parse(jsonLines(stdout)[0])
    const says = (check: string) =>
      findings
        .filter((each) => each.check === check)
        .map(({ says }) => says)
        .join('\n')
    return { code, whole, says }
  }
  const change = (file: string, sql: string): void => {
    const db = new Database(join(directory, file))
    db.exec(sql)
    db.close()
  }

  /** As a member would write it: it fits its checksum. */
  const changeTerm = (index: number, term: number): void => {
    const db = new Database(join(directory, 'quorate.db'))
    const where = 'WHERE position & 0xffffffff = ?'
    const row = rowSchema.parse(
      db.prepare(`SELECT position >> 48 AS number, type, data FROM log_entries ${where}`).get(index),
    )
    const checksum = new EntryChecksum().of(row.number, term, row.type, index, row.data)
    db.prepare(`UPDATE log_entries SET term = ?, checksum = ? ${where}`).run(term, checksum, index)
    db.close()
  }

  test('are whole while it runs and when it is stopped; a machine without hash says so; each damage is named', async () => {
    const { host, transport } = await open('s1', directory)
    const stateMachine = counting()
    const node = await host.startNode({ group: 'plain', peers: ['s1'], stateMachine, ...QUICK })
    attachServices({ transport, node })
    await vi.waitFor(() => expect(node.status().state).toBe('active.leader.serving'), 10_000)
    for (let at = 0; at < 10; at++) await node.apply(at)
    await node.snapshot()
    for (let at = 0; at < 10; at++) await node.apply(at)
    await node.snapshot()
    for (let at = 0; at < 10; at++) await node.apply(at)

    const hashes = await verify('--group', 'plain')
    expect(hashes.code).toBe(1)
    expect(hashes.stderr).toBe(
      'The state machine of plain has no stateHash: give it one, and its states can be compared.\n',
    )
    const running = await look()
    expect([running.code, running.whole]).toEqual([0, true])
    expect(running.says('content')).toMatch(/^All pages and \d+ entries/)
    expect(running.says('snapshots')).toMatch(/^A member is running on it/)

    await host.close()
    const stopped = await look()
    expect([stopped.code, stopped.whole]).toEqual([0, true])
    expect(stopped.says('snapshots')).toMatch(/^Group plain: up to index 2\d, /)
    changeTerm(25, 9)
    expect((await look()).says('content')).toMatch(/is damaged at index 26: its term is \d, and 9 before it/)
    change('quorate.db', 'DELETE FROM log_entries WHERE position & 0xffffffff = 25')
    const gap = await look()
    expect([gap.code, gap.whole]).toEqual([1, false])
    expect(gap.says('content')).toMatch(/the entry at index 25 is missing/)
    change('snapshots.db', 'DELETE FROM snapshots')
    expect((await look()).says('snapshots')).toMatch(/its log begins at \d+, and there is no snapshot/)
  })
})

/** Remembers how many commands it had. */
function counting() {
  let count = 0
  return {
    apply: () => ++count,
    onSnapshotSave: async (writer: { addFile(name: string, content: Uint8Array): Promise<void> }) => {
      await writer.addFile('count', new TextEncoder().encode(String(count)))
    },
    onSnapshotLoad: () => {},
  }
}
