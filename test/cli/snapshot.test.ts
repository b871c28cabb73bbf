// `quorate snapshot`: real members whose state is saved, looked at, written into a backup, and given to a new group.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeBackup } from '../../src/cli/snapshot/backup-file.ts'
import { FileSum } from '../../src/storage/snapshots/digest.ts'
import { metaAt, someBytes } from '../../src/testing/snapshot-support.ts'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, type Running, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']

let server: NatsServer
let directory: string
let members: Running[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-snapshot-'))
  server = await NatsServer.start()
})
afterEach(async () => {
  for (const { child } of members) child.kill('SIGKILL')
  await Promise.all(members.map(({ finished }) => finished))
  members = []
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

const at = (...names: string[]): string => join(directory, ...names)
const run = (...args: string[]) => runCli(args, { env: { QUORATE_NATS: server.url } })
const snapshot = (...args: string[]) => run('snapshot', ...args)

async function serve(id: string, peers: string, group = 'demo'): Promise<Running> {
  const args = ['serve', '--id', id, '--group', group, '--data', at(id), '--nats', server.url]
  const member = startCli([...args, ...(peers === '' ? [] : ['--peers', peers]), ...FAST])
  members.push(member)
  await member.until('The member is up.')
  return member
}

async function stop(member: Running): Promise<void> {
  member.child.kill('SIGTERM')
  await member.finished
}

describe('a backup', { timeout: 60_000 }, () => {
  test('of a running member becomes a new group, which the others join by installation', async () => {
    const member = await serve('n1', 'n1')
    // Each run of `kv` writes twice: its session, and what it was asked for.
    for (const key of ['a', 'b']) expect((await run('kv', 'put', key, `value of ${key}`)).code).toBe(0)
    expect((await snapshot('list')).stderr).toBe('There is no snapshot.\n')
    expect((await snapshot('export', at('early.backup'))).stderr).toMatch(/has no snapshot of demo yet\.\n$/)

    const taken = await snapshot('take', '--json')
    expect(jsonLines(taken.stdout)).toEqual([
      expect.objectContaining({ member: 'n1', lastIncludedIndex: 5, peers: ['n1'], oldPeers: [] }),
    ])
    expect((await snapshot('take', '--all')).stdout).toMatch(
      /^n1: snapshot up to index 5, term \d+, .+ in 2 files\.\n$/,
    )
    expect((await snapshot('list')).stdout).toMatch(/│ demo +│ n1 +│ +5 │ +\d+ │ .+ │ published │/)

    const exported = await snapshot('export', at('demo.backup'), '--member', 'n1')
    expect(exported).toMatchObject({ code: 0, stderr: '' })
    const refused = await snapshot('export', at('demo.backup'))
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringMatching(/is there already/)])
    expect(await run('snapshot', 'list', '--data', at('n1'))).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/A member is running on .+: leave --data out/),
    })

    await stop(member)
    const [listed] = jsonLines((await snapshot('list', '--data', at('n1'), '--json')).stdout)
    expect(listed).toMatchObject({
      snapshots: [{ group: 'demo', member: 'n1', index: 5, state: 'published' }],
    })
    expect((await snapshot('export', at('stopped.backup'), '--data', at('n1'))).code).toBe(0)
    expect(readFileSync(at('stopped.backup')).equals(readFileSync(at('demo.backup')))).toBe(true)
    const [inspected] = jsonLines((await snapshot('inspect', at('demo.backup'), '--json')).stdout)
    const [same] = jsonLines((await snapshot('inspect', '--data', at('n1'), '--json')).stdout)
    expect(inspected).toEqual(same)
    expect(inspected).toMatchObject({ group: 'demo', member: 'n1', index: 5, checked: true, peers: ['n1'] })

    const into = ['--id', 'r1', '--peers', 'r1,r2,r3', '--data', at('r1'), '--group', 'again']
    expect(await snapshot('import', at('demo.backup'), ...into)).toMatchObject({ code: 0, stderr: '' })
    const twice = await snapshot('import', at('demo.backup'), ...into)
    expect([twice.code, twice.stderr]).toEqual([
      5,
      expect.stringMatching(/is not empty, and nothing is overwritten/),
    ])
    expect((await run('doctor', '--no-bus', '--data', at('r1'))).code).toBe(0)

    await Promise.all([serve('r1', 'r1,r2,r3', 'again'), serve('r2', '', 'again'), serve('r3', '', 'again')])
    const read = await run('kv', 'get', 'b', '--group', 'again', '--timeout', '20000')
    expect(read.stdout).toBe('value of b\n')
    expect((await run('kv', 'put', 'c', 'new', '--group', 'again')).code).toBe(0)
    await untilAllApplied('again', 3)
    const [status] = jsonLines((await run('status', '--group', 'again', '--json')).stdout)
    expect(status).toMatchObject({
      leader: 'r1',
      members: ['r1', 'r2', 'r3'].map((id) => ({
        id,
        peers: ['r1', 'r2', 'r3'],
        snapshot: { newest: { index: 5 } },
      })),
    })
  })

  async function untilAllApplied(group: string, count: number): Promise<void> {
    for (;;) {
      const { stdout } = await run('status', '--group', group, '--json')
      const hashes = new Set(stdout.match(/"stateHash":"[^"]+"/g))
      if (stdout.match(/"stateHash":"[^"]+"/g)?.length === count && hashes.size === 1) return
      await sleep(50)
    }
  }
})

describe('damage', () => {
  const data = someBytes(700_000)

  async function makeBackup(file: string, bytes = data): Promise<void> {
    const sum = new FileSum()
    sum.add(bytes)
    const files = [{ name: 'state', bytes: bytes.length, digest: sum.digest(), userMeta: null }]
    const record = { meta: { ...metaAt(9), oldPeers: [] }, files, bytes: bytes.length, takenAtMs: 1000 }
    await writeBackup(file, { group: 'demo', member: 'n1', record, read: () => [bytes] }, () => {})
  }

  const importing = (file: string) =>
    snapshot('import', file, '--id', 'r1', '--peers', 'r1', '--data', at('r1'))

  test.each([
    [
      'a byte of its state',
      (bytes: Buffer) => bytes.writeUInt8(bytes.readUInt8(600_000) ^ 1, 600_000),
      'state of this snapshot fails its checksum',
    ],
    [
      'a byte of its list of files',
      (bytes: Buffer) => bytes.write('x', 40),
      'list of files fails its checksum',
    ],
    ['its first line', (bytes: Buffer) => bytes.write('x', 0), 'it is no backup of Quorate'],
    ['its version', (bytes: Buffer) => bytes.write('2', 15), 'it is of a newer format'],
  ])('of %s is found, and nothing is left of the import', async (_, spoil, says) => {
    await makeBackup(at('a.backup'))
    const bytes = readFileSync(at('a.backup'))
    spoil(bytes)
    writeFileSync(at('a.backup'), bytes)
    for (const { code, stderr } of [
      await importing(at('a.backup')),
      await snapshot('inspect', at('a.backup')),
    ]) {
      expect([code, stderr]).toEqual([1, expect.stringContaining(says)])
    }
    expect(readdirSync(directory)).toEqual(['a.backup'])
  })

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, 600_000), /ends \d+ bytes too early/],
    ['cut within its head', (bytes: Buffer) => bytes.subarray(0, 100), /ends within its list of files/],
    [
      'longer than it says',
      (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(2)]),
      /goes on for 2 bytes after its end/,
    ],
    ['empty', () => Buffer.alloc(0), /ends within its list of files/],
  ])('of a backup that is %s is found', async (_, change, says) => {
    await makeBackup(at('a.backup'))
    writeFileSync(at('a.backup'), change(readFileSync(at('a.backup'))))
    const { code, stderr } = await importing(at('a.backup'))
    expect([code, stderr]).toEqual([1, expect.stringMatching(says)])
    expect(readdirSync(directory)).toEqual(['a.backup'])
  })

  test('of a stopped member’s snapshot is named by the doctor, and nothing is exported', async () => {
    await makeBackup(at('a.backup'))
    expect((await importing(at('a.backup'))).code).toBe(0)
    const db = new Database(at('r1', 'snapshots.db'))
    db.exec('UPDATE chunks SET data = zeroblob(length(data)) WHERE position & 16777215 = 1')
    db.close()
    const doctor = await run('doctor', '--no-bus', '--data', at('r1'), '--json')
    expect([doctor.code, doctor.stdout]).toEqual([
      1,
      expect.stringMatching(/File state of snapshot 9 is damaged: chunk 2 of 3/),
    ])
    const exported = await snapshot('export', at('b.backup'), '--data', at('r1'))
    expect([exported.code, exported.stderr]).toEqual([
      1,
      expect.stringMatching(/File state of snapshot 9 is damaged/),
    ])
    expect(readdirSync(directory).sort()).toEqual(['a.backup', 'r1'])
  })

  test('is not done by an interruption: nothing half done is left of an import or an export', async () => {
    await makeBackup(at('a.backup'), new Uint8Array(150_000_000))
    const into = ['--id', 'r1', '--peers', 'r1', '--data', at('r1')]
    const importing = startCli(['snapshot', 'import', at('a.backup'), ...into])
    await until(() => readdirSync(directory).some((name) => name.startsWith('r1.import-')))
    importing.child.kill('SIGINT')
    expect((await importing.finished).code).toBe(130)
    expect(readdirSync(directory)).toEqual(['a.backup'])

    expect((await snapshot('import', at('a.backup'), ...into)).code).toBe(0)
    const exporting = startCli(['snapshot', 'export', at('b.backup'), '--data', at('r1')])
    await until(() => readdirSync(directory).includes('b.backup.unfinished'))
    exporting.child.kill('SIGTERM')
    expect((await exporting.finished).code).toBe(143)
    expect(readdirSync(directory).sort()).toEqual(['a.backup', 'r1'])
  })

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(5)
  }
})

describe('wrong use', () => {
  test.each([
    [['take', '--member', 'n1', '--all'], /cannot be used with/],
    [['inspect', 'x.backup', '--data', 'd'], /Name a backup, or a member/],
    [
      ['import', 'x.backup', '--id', 'r1', '--peers', 'r2', '--data', 'd'],
      /--id r1 is not one of --peers r2/,
    ],
    [['export'], /missing required argument/i],
  ])('%s', async (args, says) => {
    const { code, stderr } = await snapshot(...args)
    expect([code, stderr]).toEqual([2, expect.stringMatching(says)])
  })

  test.each([
    [['import', 'x.backup', '--id', 'r1', '--peers', 'r1', '--data', 'd'], /x\.backup cannot be read/],
    [['list', '--data', 'not-there'], /no member has been started with this directory/],
    [['take', '--member', 'n7', '--timeout', '2000'], /n7: No member n7 of group demo answers/],
    [['take', '--timeout', '500'], /No member of group demo answers/],
  ])('%s: what is not there', async (args, says) => {
    const { code, stderr } = await snapshot(...args)
    expect([code, stderr]).toEqual([1, expect.stringMatching(says)])
  })
})
