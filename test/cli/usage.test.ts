// Wrong calls: one clear sentence on stderr, nothing on stdout, exit code 2.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runCli } from './run-cli.ts'

const directory = mkdtempSync(join(tmpdir(), 'quorate-usage-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const serve = ['serve', '--id', 'n1', '--data', join(directory, 'n1'), '--nats', 'nats://127.0.0.1:1']

describe.concurrent('wrong calls', () => {
  test.each<[readonly string[], RegExp]>([
    [['fly'], /Unknown command 'fly'/],
    [['kv', 'fly'], /Unknown command 'fly'/],
    [['status', '--colour'], /Unknown option '--colour'/],
    [['kv', 'put', 'k'], /Missing required argument 'value'/],
    [['kv', 'put', 'k', 'v', 'w'], /Too many arguments/],
    [['kv', 'put', '', 'v'], /Operation: key: /],
    [['kv', 'put', 'k', 'v', '--ttl', '30'], /whole number with its unit/],
    [['kv', 'cas', 'k', 'v', '--delete', '--ttl', '1s'], /What cas removes has no time to live/],
    [['kv', 'watch', '--from', '0'], /whole number of entries/],
    [['kv', 'get', 'k', '--read', 'quick'], /Allowed choices are linearizable, lease, local/],
    [['kv', 'cas', 'k', 'one'], /cas takes an expected and a new value/],
    [['kv', 'cas', 'k', 'one', 'two', '--absent'], /cas takes an expected and a new value/],
    [['kv', 'cas', 'k', 'one', '--absent', '--delete'], /cas takes an expected and a new value/],
    [['kv', 'get', 'k', '--timeout', 'soon'], /whole number of milliseconds/],
    [['kv', 'get', 'k', '--group', 'a.b'], /letters, digits, _ or -/],
    [['status', '--prefix', 'a..b'], /joined by dots/],
    [['status', '--nkey', join(directory, 'none')], /NKey .* cannot be read/],
    [['status', '--tls-ca', join(directory, 'none')], /authority .* cannot be read/],
    [['status', '--tls-cert', 'x'], /--tls-cert and --tls-key go together/],
    [['status', '--nkey', 'x', '--creds', 'y'], /Only one of --creds, --nkey and --user/],
    [['status', '--creds', join(directory, 'none')], /credentials .* cannot be read/],
    [['verify', '--group', 'a.b'], /letters, digits, _ or -/],
    [['permissions'], /Name somebody: --nodes, --clients or --operators/],
    [['permissions', '--members', 'n1,leader'], /word with a meaning in subjects/],
    [['permissions', '--clients', 'a b'], /letters, digits, _ or -/],
    [['permissions', '--clients', 'app', '--group', '*'], /letters, digits, _ or -/],
    [['permissions', '--nodes', 'a-b,a_b'], /a-b and a_b would share \$NKEY_a_b/],
    [['permissions', '--nodes', 'n1,admin'], /word with a meaning in subjects/],
    [['permissions', '--members', 'n1', '--clients', 'n1'], /n1 is named twice/],
    [['inspect', '--port', '65536'], /whole number of ports from 0 to 65535/],
    [['inspect', '--ui', 'stately'], /page stately is no address of the web/],
    [['inspect', '--group', 'a.b'], /letters, digits, _ or -/],
    [['demo', '--nodes', '2'], /whole number of members from 3 to 9/],
    [['demo', '--writes', '-1'], /whole number of writes/],
    [['members', 'add'], /Missing required argument 'member'/],
    [['members', 'add', 'n4', '--role', 'boss'], /Allowed choices are voter, witness, learner/],
    [['members', 'set', 'n1,n2:learner:x'], /A role is one of voter, witness, learner/],
    [['members', 'priority', 'n1', 'high'], /whole number of priority points/],
    [['leader', 'transfer', 'members'], /word with a meaning in subjects/],
    [[...serve, '--join', '--peers', 'n1'], /cannot be used with/],
    [['serve', '--data', 'x'], /'--id <name>' not specified/],
    [['serve', '--id', 'n1'], /'--data <dir>' not specified/],
    [['serve', '--id', 'leader', '--data', 'x'], /word with a meaning in subjects/],
    [['serve', '--id', 'members', '--data', 'x'], /word with a meaning in subjects/],
    [[...serve, '--peers', 'n1,n2,n1'], /names n1 twice/],
    [[...serve, '--peers', 'n1,n 2'], /letters, digits, _ or -/],
    [[...serve, '--peers', 'n2,n3'], /--id n1 is not one of --peers n2,n3/],
    [[...serve, '--option', 'maxFrameBytes'], /name=value/],
    [[...serve, '--option', 'maxFrames=1'], /no option maxFrames/],
    [[...serve, '--option', 'maxFrameBytes=0'], /maxFrameBytes: Too small/],
    [[...serve, '--option', 'leaderLease=perhaps'], /leaderLease: Invalid input/],
    [[...serve, '--election-timeout', '3'], /electionTimeoutMs: Too small/],
    [[...serve, '--log-level', 'loud'], /Allowed choices/],
    [[...serve, '--machine', join(directory, 'none.mjs')], /state machine .*none\.mjs cannot be used/],
    [[...serve, join(directory, 'none.mjs')], /state machine .*none\.mjs cannot be used/],
    [[...serve, 'a.mjs', '--machine', 'b.mjs'], /Two machines are named, a\.mjs and b\.mjs/],
  ])('%j', async (args, sentence) => {
    const { code, stdout, stderr } = await runCli(args)
    expect(stderr.trim()).toMatch(sentence)
    expect(stderr.trim()).toMatch(/^[^\n]+\.$/)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  test.each([
    ['export const other = 1', /it has neither of a default export/],
    ['export default { read() {} }', /no method `apply`/],
    ['export function createStateMachine() { throw new Error("no luck") }', /making it failed: no luck/],
    ['export default', /cannot be used/],
  ])('--machine with %j', async (source, sentence) => {
    const file = join(directory, `machine-${Math.random().toString(36).slice(2)}.mjs`)
    writeFileSync(file, source)
    const { code, stderr } = await runCli([...serve, '--machine', file])
    expect(stderr).toMatch(sentence)
    expect(code).toBe(2)
  })
})

describe.concurrent('help', () => {
  test.each([
    [[]],
    [['demo']],
    [['serve']],
    [['status']],
    [['permissions']],
    [['members', 'list']],
    [['members', 'add']],
    [['members', 'set']],
    [['leader', 'show']],
    [['leader', 'transfer']],
    [['kv']],
    [['kv', 'put']],
    [['kv', 'get']],
    [['kv', 'cas']],
    [['kv', 'append']],
    [['kv', 'delete']],
    [['kv', 'shell']],
  ])('of %j has an example and the exit codes', async (args) => {
    const { code, stdout } = await runCli([...args, '--help'])
    expect(stdout).toMatch(/Example:\n {2}.*quorate /)
    expect(stdout).toContain('Exit codes: 0 ok')
    expect(code).toBe(0)
  })

  test('names the environment variables', async () => {
    const { stdout } = await runCli(['kv', 'get', '--help'])
    expect(stdout).toContain('QUORATE_NATS')
    expect(stdout).toContain('QUORATE_GROUP')
  })
})
