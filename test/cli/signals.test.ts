// SIGTERM and Ctrl-C at any moment of a start: an orderly end, and a directory that a member can start with again.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, type RunOptions, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '50', '--max-clock-drift', '20', '--option', 'maxElectionDelayMs=20']
/** Every 10 ms where everything is loaded and opened, then every 50. */
const MOMENTS_MS = [
  ...Array.from({ length: 30 }, (_, at) => at * 10),
  ...Array.from({ length: 15 }, (_, at) => 300 + at * 50),
]

let server: NatsServer
let directory: string
let data: string
beforeAll(async () => {
  server = await NatsServer.start()
})
afterAll(() => server?.stop())
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-signals-'))
  data = join(directory, 'n1')
  return () => rmSync(directory, { recursive: true, force: true })
})

const serveArgs = (...more: readonly string[]): readonly string[] => {
  const bus = ['--nats', server.url, ...FAST, ...more]
  return ['serve', '--id', 'n1', '--peers', 'n1', '--data', data, ...bus]
}

/** Sends a signal when the loader is asked for a module whose address ends with `ending`, before it is loaded. */
function signalAtImport(signal: NodeJS.Signals, ending: string): RunOptions {
  const hooks = join(directory, 'hooks.mjs')
  writeFileSync(
    hooks,
    `let sent = false
     export async function resolve(specifier, context, next) {
       if (!sent && specifier.endsWith(${JSON.stringify(ending)})) {
         sent = true
         process.kill(process.pid, ${JSON.stringify(signal)})
         await new Promise((resolve) => setTimeout(resolve, 50))
       }
       return next(specifier, context)
     }`,
  )
  const preload = join(directory, 'preload.mjs')
  const url = pathToFileURL(hooks).href
  writeFileSync(preload, `import { register } from 'node:module'; register(${JSON.stringify(url)})`)
  return { env: { NODE_OPTIONS: `--import=${pathToFileURL(preload).href}` } }
}

describe('serve', () => {
  test('hears signals before it loads anything else', () => {
    const main = readFileSync(new URL('../../src/cli/main.ts', import.meta.url), 'utf8')
    const first = readFileSync(new URL('../../src/cli/signals.ts', import.meta.url), 'utf8')
    expect([...main.matchAll(/^(?:import|export)\b.*'(.*)'/gm)].map(([, from]) => from)).toEqual([
      './signals.ts',
    ])
    expect(first).not.toMatch(/^\s*(import|export)\b.*\bfrom\b/m)
  })

  test.each(['program.js', 'commander', 'serve.js', 'better-sqlite3', 'nats'])(
    'a signal while %s is being loaded ends it in order, and it begins nothing',
    async (ending) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        const { code, stdout, stderr } = await runCli(serveArgs(), signalAtImport(signal, ending))
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        expect(jsonLines(stdout).at(-1)).toMatchObject({ message: 'Stopped before the member was up.' })
        expect(existsSync(data)).toBe(false)
      }
    },
  )

  test('at each moment of a start it ends in order, and starts again in the same files', {
    timeout: 120_000,
  }, async () => {
    for (const [at, moment] of MOMENTS_MS.entries()) {
      const signal = at % 2 === 0 ? 'SIGTERM' : 'SIGINT'
      const before = existsSync(data) ? readdirSync(data) : null
      const member = startCli(serveArgs())
      await pause(moment)
      member.child.kill(signal)
      const { code, stdout, stderr } = await member.finished
      // Before Node has come to our first line nobody can hear it, and nothing has been touched.
      const unheard = member.child.signalCode === signal && stdout === ''
      expect({ moment, code: unheard ? 0 : code, stderr }).toEqual({ moment, code: 0, stderr: '' })
      if (unheard) expect(existsSync(data) ? readdirSync(data) : null).toEqual(before)
      else expect(jsonLines(stdout).at(-1)).toMatchObject({ message: expect.stringMatching(/^Stopped/) })
      if (existsSync(data)) expect(readdirSync(data).filter((name) => name.endsWith('.new'))).toEqual([])
    }
    const member = startCli(serveArgs())
    await member.until('The member is up.')
    expect((await runCli(['kv', 'put', 'k', 'v', '--nats', server.url])).code).toBe(0)
    member.child.kill('SIGTERM')
    expect((await member.finished).code).toBe(0)
  })

  test('killed while it claims its directory, it finds no half of a note', async () => {
    const member = startCli(serveArgs())
    await member.until('The member is up.')
    expect(JSON.parse(readFileSync(join(data, 'served-group.json'), 'utf8'))).toEqual({ group: 'demo' })
    member.child.kill('SIGKILL')
    await member.finished
    // As a process leaves it that is killed between the two steps of the claim.
    rmSync(join(data, 'served-group.json'))
    writeFileSync(join(data, 'served-group.json.new'), '{"gro')
    const again = startCli(serveArgs())
    await again.until('The member is up.')
    again.child.kill('SIGTERM')
    expect((await again.finished).code).toBe(0)
    expect(readdirSync(data)).not.toContain('served-group.json.new')
  })

  test('is not kept alive by what a state machine has opened, nor by one that never comes', async () => {
    const file = join(directory, 'machine.mjs')
    writeFileSync(file, 'setInterval(() => {}, 1000)\nexport const stateMachine = { apply: () => null }')
    const member = startCli(serveArgs('--machine', file))
    await member.until('The member is up.')
    member.child.kill('SIGTERM')
    const { code, stdout } = await member.finished
    expect([code, stdout]).toEqual([0, expect.stringContaining('keeps the process alive: leaving.')])

    writeFileSync(file, 'setInterval(() => {}, 1000)\nconsole.error("loading")\nawait new Promise(() => {})')
    const waiting = startCli(serveArgs('--machine', file))
    await waiting.untilSaid('loading')
    waiting.child.kill('SIGTERM')
    expect((await waiting.finished).code).toBe(0)
  })
})

describe('the others', () => {
  test.each([
    ['demo', 'SIGINT', 130],
    ['demo', 'SIGTERM', 143],
  ] as const)(
    '%s, asked by %s while it loads, ends with %i and leaves nothing',
    async (command, signal, code) => {
      const options = signalAtImport(signal, 'story.js')
      const temporary = mkdtempSync(join(directory, 'temporary-'))
      const ended = await runCli([command], { env: { ...options.env, TMPDIR: temporary } })
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code, stderr: '' })
      expect(readdirSync(temporary)).toEqual([])
    },
  )

  test.each(['SIGINT', 'SIGTERM'] as const)('a client command ends by %s, as programs do', async (signal) => {
    const client = startCli(['kv', 'get', 'k', '--nats', 'nats://127.0.0.1:1', '--timeout', '60000'])
    await client.untilSaid('trying again')
    client.child.kill(signal)
    await client.finished
    expect(client.child.signalCode).toBe(signal)
    const early = startCli(['permissions', '--clients', 'app'], signalAtImport(signal, 'commander'))
    await early.finished
    expect([early.child.signalCode, early.stdout()]).toEqual([signal, ''])
  })
})
