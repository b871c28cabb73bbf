// Members, clients and servers with certificates of an authority that the test makes, and keys beside them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Certificates, makeCertificates } from '../support/certificates.ts'
import { NatsServer } from '../support/nats-server.ts'
import { type Finished, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']
const directory = mkdtempSync(join(tmpdir(), 'quorate-tls-'))
let made: Certificates
let server: NatsServer
let plain: NatsServer

beforeAll(async () => {
  made = makeCertificates(directory, ['server', 'member'])
  const keys = ['--generate-keys', join(directory, 'keys')]
  const { stdout } = await runCli(['permissions', '--nodes', 'n1', '--clients', 'app', ...keys])
  const files = `cert_file: "${made.cert('server')}", key_file: "${made.key('server')}", ca_file: "${made.ca}"`
  server = await NatsServer.start({ config: `tls { ${files}, verify: true }\n${stdout}` })
  plain = await NatsServer.start()
})
afterAll(async () => {
  await Promise.all([server?.stop(), plain?.stop()])
  rmSync(directory, { recursive: true, force: true })
})

const nkey = (user: string): string => join(directory, 'keys', `${user}.nk`)
const address = (): string => server.url.replace('nats://', 'tls://')
const certificate = (): string[] => ['--tls-cert', made.cert('member'), '--tls-key', made.key('member')]
const whole = (): string[] => ['--nats', address(), '--tls-ca', made.ca, ...certificate()]

test('a member and a client talk over TLS, each with its certificate and its key', async () => {
  const data = join(directory, 'n1')
  const args = ['serve', '--id', 'n1', '--peers', 'n1', '--data', data, '--nkey', nkey('n1'), ...FAST]
  const member = startCli([...args, ...whole()])
  try {
    await member.until('The member is up.')
    const env = {
      ...{ QUORATE_NATS: address(), QUORATE_NKEY: nkey('app'), QUORATE_TLS_CA: made.ca },
      ...{ QUORATE_TLS_CERT: made.cert('member'), QUORATE_TLS_KEY: made.key('member') },
    }
    const put = await runCli(['kv', 'put', 'color', 'blue', '--as', 'app'], { env })
    expect(put).toMatchObject({ code: 0, stderr: '' })
    const get = await runCli(['kv', 'get', 'color', '--as', 'app', '--nkey', nkey('app'), ...whole()])
    expect(get).toEqual({ code: 0, stdout: 'blue\n', stderr: '' })
  } finally {
    member.child.kill('SIGTERM')
    await member.finished
  }
})

describe('one sentence, at once, for', () => {
  const status = (...args: readonly string[]): Promise<Finished> =>
    runCli(['status', '--as', 'app', '--timeout', '20000', ...args])

  test.each<[string, () => readonly string[], number, RegExp]>([
    ['an authority that nobody named', () => ['--nats', address()], 1, /unable to verify|self.signed/],
    [
      'a server of another authority',
      () => ['--nats', address(), '--tls-ca', made.cert('member')],
      1,
      /unable to|self.signed/,
    ],
    ['a server without TLS', () => ['--nats', plain.url, '--tls-ca', made.ca], 1, /the server offers none/],
    [
      'an address that asks for TLS, and a server without',
      () => ['--nats', plain.url.replace('nats:', 'tls:')],
      1,
      /the server offers none/,
    ],
    ['a key for a certificate', () => ['--tls-ca', made.key('member')], 2, /is not a certificate in PEM/],
    [
      'a certificate for a key',
      () => ['--tls-cert', made.cert('member'), '--tls-key', made.cert('member')],
      2,
      /is not a private key in PEM/,
    ],
    [
      'the key of another certificate',
      () => ['--tls-cert', made.cert('server'), '--tls-key', made.key('member')],
      2,
      /member\.key is not the one of .*server\.crt/,
    ],
  ])('%s', async (_, args, code, sentence) => {
    const finished = await status(...args())
    expect(finished.stderr).toMatch(/^[^\n]+\.\n$/)
    expect(finished.stderr).toMatch(sentence)
    expect(finished).toMatchObject({ code, stdout: '' })
  })
})
