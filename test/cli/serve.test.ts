// `quorate serve` end to end: real processes, a real NATS server, real files, signals and kill -9.

import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, type Running, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']
const IDS = ['n1', 'n2', 'n3'] as const

let server: NatsServer
let directory: string
const members = new Map<string, Running>()

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-serve-'))
  server = await NatsServer.start()
})
afterEach(async () => {
  await Promise.all([...members.values()].map((member) => end(member, 'SIGKILL')))
  members.clear()
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

function serveArgs(id: string, peers: readonly string[] = IDS): string[] {
  const data = join(directory, id)
  return ['serve', '--id', id, '--peers', peers.join(','), '--data', data, '--nats', server.url, ...FAST]
}

async function start(id: string, args: readonly string[] = serveArgs(id)): Promise<Running> {
  const member = startCli(args)
  members.set(id, member)
  await member.until('The member is up.')
  return member
}

async function end(member: Running, signal: NodeJS.Signals): Promise<number | null> {
  member.child.kill(signal)
  return (await member.finished).code
}

const statusSchema = z.object({
  leader: z.string().nullable(),
  members: z.array(
    z.object({
      id: z.string(),
      role: z.string(),
      appliedIndex: z.number(),
      stateHash: z.string().nullable(),
    }),
  ),
})

async function status(): Promise<z.output<typeof statusSchema>> {
  const { stdout } = await runCli(['status', '--nats', server.url, '--json'])
  return statusSchema.parse(jsonLines(stdout)[0])
}

/** Waits for a leader, as long as the test may take. */
async function leader(): Promise<string> {
  for (;;) {
    const id = (await status()).leader
    if (id !== null) return id
  }
}

const kv = (...args: string[]) => runCli(['kv', ...args, '--nats', server.url])

async function shell(operations: readonly object[]): Promise<unknown[]> {
  const input = operations.map((operation) => JSON.stringify(operation)).join('\n')
  return jsonLines((await runCli(['kv', 'shell', '--nats', server.url], { input })).stdout)
}

describe('three members', () => {
  test('keep what they acknowledged through kill -9, restart and hand-over', {
    timeout: 60_000,
  }, async () => {
    await Promise.all(IDS.map((id) => start(id)))
    const first = await leader()
    const puts = Array.from({ length: 500 }, (_, id) => ({ id, op: 'put', key: `k${id}`, value: `v${id}` }))
    const answers = await shell(puts)
    expect(
      answers.filter((answer) => z.object({ ok: z.literal(true) }).safeParse(answer).success),
    ).toHaveLength(500)

    await end(must(members.get(first)), 'SIGKILL')
    expect((await kv('put', 'after', 'the kill')).code).toBe(0)
    const second = await leader()
    expect(second).not.toBe(first)

    await start(first)
    await expect.poll(async () => hashesOf(await status()), { timeout: 20_000 }).toEqual([3, 1])
    const reads = await shell(puts.map(({ id, key }) => ({ id, op: 'get', key })))
    expect(reads).toHaveLength(500)
    for (const { id, value } of puts) expect(reads).toContainEqual({ id, ok: true, value })
    expect((await kv('get', 'after', '--read', 'local')).stdout).toBe('the kill\n')

    const stopped = must(members.get(second))
    expect(await end(stopped, 'SIGTERM')).toBe(0)
    expect((await kv('get', 'k7')).stdout).toBe('v7\n')
    for (const line of jsonLines(stopped.stdout())) {
      expect(line).toMatchObject({
        level: expect.stringMatching(/^(info|warn|error)$/),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        ...{ member: second, group: 'demo', message: expect.any(String) },
      })
      expect(line).toHaveProperty('term')
    }
  })
})

describe('one member', () => {
  const alone = () => serveArgs('n1', ['n1'])

  test('refuses a second process of its name, its directory and its group', async () => {
    const member = await start('n1', alone())
    const twin = await runCli([...alone(), '--data', join(directory, 'twin')])
    expect([twin.code, twin.stderr]).toEqual([
      5,
      `Another process already is member n1 of group demo on ${server.url}; stop it or choose another --id.\n`,
    ])
    const thief = await runCli([...serveArgs('n2', ['n2']), '--data', join(directory, 'n1')])
    expect(thief.stderr.trim()).toMatch(/^[^\n]+\.$/)
    expect(thief.code).toBe(5)
    expect(await end(member, 'SIGTERM')).toBe(0)

    const stranger = await runCli([...serveArgs('n2', ['n2']), '--data', join(directory, 'n1')])
    expect(stranger.stderr.trim()).toMatch(/^[^\n]+n1[^\n]+\.$/)
    expect(stranger.code).toBe(5)
    const elsewhere = await runCli([...alone(), '--group', 'other'])
    expect([elsewhere.code, elsewhere.stderr]).toEqual([
      5,
      expect.stringContaining('is for group demo, not for other'),
    ])
  })

  test.each(['/proc/quorate', '/dev/null', '/dev/null/below'])(
    'ends with a sentence where no directory can be made (%s)',
    async (data) => {
      const finished = await runCli([...serveArgs('n1', ['n1']), '--data', data])
      expect(finished.code).toBe(1)
      expect(finished.stderr).toMatch(new RegExp(`Data directory ${data} cannot be created: .*\\.\n$`))
    },
  )

  test('stops acknowledging and says why when its directory is taken away', async () => {
    const member = await start('n1', alone())
    await kv('put', 'a', '1')
    renameSync(join(directory, 'n1'), join(directory, 'moved'))
    await member.until('were removed, replaced or unmounted while they were in use')
    await member.until('The member stopped in its error state')
    const refused = await kv('put', 'a', '2', '--timeout', '500')
    expect(refused.code).not.toBe(0)
    expect(await end(member, 'SIGTERM')).toBe(1)
  })

  test('waits for the bus, says so, and serves when it is there', async () => {
    await server.kill()
    const member = startCli(alone())
    members.set('n1', member)
    await member.until('trying again')
    await server.restart()
    await member.until('The member is up.')
    expect((await kv('put', 'k', 'v')).code).toBe(0)
  })

  test('says what is wrong with its directory though there is no bus', async () => {
    await server.kill()
    const finished = await runCli([...alone(), '--data', '/dev/null/below'])
    expect(finished.stderr).toMatch(/Data directory \/dev\/null\/below cannot be created/)
    expect(finished.code).toBe(1)
  })

  test('asked to stop while it waits for the bus, stops', async () => {
    await server.kill()
    const member = startCli(alone())
    await member.until('trying again')
    expect(await end(member, 'SIGINT')).toBe(0)
  })

  test('a second signal does not wait for the first to be carried out', async () => {
    const member = await start('n1', serveArgs('n1', ['n1']))
    // Both are there when it wakes up, so that the first cannot have come to its end.
    for (const signal of ['SIGSTOP', 'SIGTERM', 'SIGINT', 'SIGCONT'] as const) member.child.kill(signal)
    const { code } = await member.finished
    expect(code).toBe(1)
    expect(jsonLines(member.stdout())).toContainEqual(
      expect.objectContaining({ message: 'A second signal: leaving at once.' }),
    )
  })

  test('goes on after the bus was away', async () => {
    await start('n1', alone())
    expect((await kv('put', 'k', 'v')).code).toBe(0)
    await server.restart()
    expect((await kv('get', 'k')).stdout).toBe('v\n')
  })

  test('replicates a machine of the user', async () => {
    const { writeFileSync } = await import('node:fs')
    const file = join(directory, 'machine.mjs')
    writeFileSync(
      file,
      `export const createStateMachine = async () => {
        const seen = []
        return { apply: (command) => (seen.push(command), null), read: () => JSON.stringify(seen) }
      }`,
    )
    await start('n1', [...alone(), file])
    expect((await kv('put', 'k', 'v')).code).toBe(0)
    expect((await kv('get', 'any')).stdout).toBe('[["put","k","v"]]\n')
  })

  test('does not start on a bus that is too small, and refuses what is too large', async () => {
    await server.restart('max_payload: 64KB')
    const small = await runCli(alone())
    expect(small.stderr).toMatch(/max_payload/)
    expect(small.code).toBe(5)
    await start('n1', [...alone(), '--option', 'maxEntryBytes=1000'])
    const tooLarge = await kv('put', 'k', 'x'.repeat(2000))
    expect(tooLarge.stderr).toMatch(/maxEntryBytes/)
    expect(tooLarge.code).toBe(5)
  })
})

function hashesOf({ members: all }: z.output<typeof statusSchema>): [number, number] {
  return [all.length, new Set(all.map(({ stateHash }) => stateHash)).size]
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('It is not there.')
  return value
}
