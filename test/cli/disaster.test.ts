// A majority that is gone for good, end to end: real members over a real NATS server, killed and their files taken away; what
// is left is told to go on, stopped (`quorate recover`) or running (`quorate members reset`).

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { SnapshotStore } from '../../src/storage/snapshot-store.ts'
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts'
import type { GroupStore, StorageDone } from '../../src/storage/storage.ts'
import { configurationEntry, dataEntries } from '../log/support/entries.ts'
import { NatsServer } from '../support/nats-server.ts'
import { type Finished, jsonLines, type Running, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']
const ALL = ['--peers', 'n1,n2,n3']

let server: NatsServer
let directory: string
let members: Map<string, Running>

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-disaster-'))
  server = await NatsServer.start()
  members = new Map()
})
afterEach(async () => {
  for (const id of [...members.keys()]) await kill(id)
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

const filesOf = (id: string) => join(directory, id)
const run = (...args: string[]) => runCli(args, { env: { QUORATE_NATS: server.url } })
const patiently = (...args: string[]) => run(...args, '--timeout', '20000')
const recover = (...args: string[]) => run('recover', filesOf('n3'), '--group', 'demo', ...args)
const reset = (...args: string[]) => run('members', 'reset', 'n3', ...args)

async function serve(id: string, ...how: string[]): Promise<void> {
  const where = ['--id', id, '--data', filesOf(id), '--nats', server.url]
  const member = startCli(['serve', ...where, ...how, ...FAST, '--option', 'snapshotEveryEntries=5'])
  members.set(id, member)
  await member.until('The member is up.')
}

async function kill(id: string): Promise<void> {
  const member = members.get(id)
  members.delete(id)
  member?.child.kill('SIGKILL')
  await member?.finished
}

async function lose(id: string): Promise<void> {
  await kill(id)
  rmSync(filesOf(id), { recursive: true })
}

const statusSchema = z.object({
  members: z.array(
    z.object({
      ...{ id: z.string(), role: z.string(), term: z.number(), firstIndex: z.number() },
      ...{ appliedIndex: z.number(), commitIndex: z.number(), peers: z.array(z.string()) },
    }),
  ),
})

async function statusOf(id: string) {
  const { stdout } = await run('status', '--json')
  return statusSchema.parse(jsonLines(stdout)[0]).members.find((member) => member.id === id)
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  while (!(await holds())) if (performance.now() > deadlineMs) throw new Error(`In vain waited for: ${what}.`)
}

/** Three members that have acknowledged as many writes; the third has applied them all. */
async function threeWith(writes: number): Promise<void> {
  await Promise.all(['n1', 'n2', 'n3'].map((id) => serve(id, ...ALL)))
  for (let i = 1; i <= writes; i++) expect((await patiently('kv', 'put', `k${i}`, `v${i}`)).code).toBe(0)
  await until(async () => {
    const { stdout } = await run('status', '--json')
    const all = statusSchema.parse(jsonLines(stdout)[0]).members
    const committed = Math.max(...all.map(({ commitIndex }) => commitIndex))
    return all.length === 3 && all.every(({ appliedIndex }) => appliedIndex === committed)
  }, 'n3 has everything')
}

async function expectWrites(count: number): Promise<void> {
  for (let i = 1; i <= count; i++) expect((await patiently('kv', 'get', `k${i}`)).stdout).toBe(`v${i}\n`)
}

const endOf = ({ code, stdout, stderr }: Finished) => [code, stdout, stderr.trimEnd().split('\n').at(-1)]

describe('the files of the last of three', { timeout: 180_000 }, () => {
  test('become those of a group that goes on, with every acknowledged write that they had, and grows again', async () => {
    await threeWith(12)
    expect((await statusOf('n3'))?.firstIndex).toBeGreaterThan(1)
    await lose('n1')
    await lose('n2')

    const running = await recover('--peers', 'n3', '--force', '--confirm', 'demo')
    expect(endOf(running)).toEqual([
      5,
      '',
      expect.stringMatching(/^A member is running on .*: stop it first/),
    ])
    const before = await statusOf('n3')
    await kill('n3')

    const shown = await recover('--peers', 'n3')
    expect(endOf(shown)).toEqual([5, '', 'Nothing was changed: it needs --force and --confirm demo.'])
    expect(shown.stderr).toMatch(/│ voters +│ n1, n2, n3 +│ n3 +│/)
    expect(shown.stderr).toMatch(/│ quorum +│ 2 of 3 +│ 1 of 1 +│/)
    expect(shown.stderr).toContain('What was acknowledged and only n1 and n2 had is lost.')
    for (const wrong of [['--force'], ['--confirm', 'demo'], ['--force', '--confirm', 'demi']])
      expect((await recover('--peers', 'n3', ...wrong)).code).toBe(5)
    expect((await recover('--peers', 'n3', '--force', '--confirm', 'demi')).stderr).toContain(
      'and --confirm says demi.',
    )
    for (const peers of ['n1', '', 'n3,n3', 'n3,%'])
      expect((await recover('--peers', peers, '--force', '--confirm', 'demo')).code).toBe(2)

    const recovered = await recover('--peers', 'n3', '--force', '--confirm', 'demo', '--json')
    expect([recovered.code, jsonLines(recovered.stdout)]).toEqual([
      0,
      [
        {
          ...{ group: 'demo', member: 'n3', changed: true, index: expect.any(Number) },
          ...{
            term: (before?.term ?? 0) + 2 ** 20,
            before: expect.objectContaining({ peers: ['n1', 'n2', 'n3'] }),
          },
          after: expect.objectContaining({ peers: ['n3'], oldPeers: [] }),
        },
      ],
    ])
    expect((await recover('--peers', 'n3')).stdout).toBe(
      'Nothing to do: for n3 group demo has voters n3 (quorum 1 of 1).\n',
    )

    await serve('n3', ...ALL)
    await expectWrites(12)
    expect(await statusOf('n3')).toMatchObject({ role: 'leader', peers: ['n3'] })
    expect((await patiently('kv', 'put', 'k13', 'v13')).code).toBe(0)

    await serve('n4', '--join')
    expect((await patiently('members', 'add', 'n4', '--yes')).stdout).toBe(
      'Group demo now has voters n3, n4 (quorum 2 of 2).\n',
    )
    // One that was lost comes back with other files, as anybody else.
    await serve('n1', '--join')
    expect((await patiently('members', 'add', 'n1', '--yes')).code).toBe(0)
    await kill('n3')
    await expectWrites(13)
  })

  test('are refused when they are no files of such a group, or have to be seen to first', async () => {
    expect((await recover('--peers', 'n3')).stderr).toMatch(/no member has been started with this directory/)
    const storage = await openSqliteStorage({ dataDir: filesOf('n3'), hostId: 'n3' })
    const ended = (ask: (done: StorageDone) => void) =>
      new Promise<void>((resolve, reject) => ask((error) => (error === null ? resolve() : reject(error))))
    const store = await new Promise<GroupStore>((resolve, reject) =>
      storage.openGroup('demo', (opened) => (opened.ok ? resolve(opened.store) : reject(opened.error))),
    )
    const entries = [configurationEntry(1, 1, ['n1', 'n2', 'n3']), ...dataEntries(2, 9, 1)]
    await ended((done) => store.append(entries, done))
    // A leader of term 2 has sent a snapshot of what is not in this log, and the member was killed when it had it.
    const snapshots = await new Promise<SnapshotStore>((resolve, reject) =>
      storage.openSnapshots('demo', (opened) => (opened.ok ? resolve(opened.value) : reject(opened.error))),
    )
    const meta = { lastIncludedIndex: 5, lastIncludedTerm: 2, peers: ['n1', 'n2', 'n3'], oldPeers: [] }
    await new Promise<void>((resolve) => snapshots.create(meta, 1).publish(() => resolve()))
    await ended((done) => storage.close(done))
    expect(endOf(await recover('--peers', 'n3', '--force', '--confirm', 'demo'))).toEqual([
      ...[5, ''],
      expect.stringMatching(/has not followed its snapshot yet: start the member once/),
    ])
    const other = await run('recover', filesOf('n3'), '--group', 'other', '--peers', 'n3')
    expect(endOf(other)).toEqual([2, '', expect.stringMatching(/holds no group other; it holds demo\.$/)])
  })
})

describe('the last of three that runs', { timeout: 120_000 }, () => {
  test('is told who the members are, writes it down, and goes on', async () => {
    await threeWith(3)
    const needless = await reset('n3')
    expect(endOf(needless)).toEqual([5, '', 'Nothing was changed: it needs --force and --group-again demo.'])
    expect(needless.stderr).toContain('n1, n2 and n3 answer, which is a majority: nothing has to be forced.')
    await lose('n1')
    await lose('n2')

    for (const wrong of [[], ['--force'], ['--force', '--group-again', 'demi']])
      expect((await reset('n3', ...wrong)).code).toBe(5)
    expect((await reset('n1', '--force', '--group-again', 'demo')).code).toBe(2)
    expect((await run('members', 'reset', 'n7', 'n7', '--force', '--group-again', 'demo')).code).toBe(1)

    // Nobody of that name is there to vote: told, and not written down.
    const unheard = await reset('n3,n9', '--force', '--group-again', 'demo')
    expect(endOf(unheard)).toEqual([4, '', expect.stringMatching(/in memory only: .* before it or n9 leads/)])
    expect((await run('status')).stdout).toContain('nobody has led them yet: a restart of n3 forgets it.')
    expect((await run('doctor')).stdout).toMatch(/│ member n3 +│ problem │ Its members were forced/)

    const done = await reset('n3', '--force', '--group-again', 'demo')
    expect([done.code, done.stdout]).toEqual([
      0,
      'Group demo now has voters n3 (quorum 1 of 1): forced on n3, and written down.\n',
    ])
    expect((await reset('n3')).stdout).toBe('Nothing to do: group demo has voters n3 (quorum 1 of 1).\n')
    await kill('n3')
    await serve('n3', ...ALL)
    await expectWrites(3)
    expect(await statusOf('n3')).toMatchObject({ role: 'leader', peers: ['n3'] })
  })
})
