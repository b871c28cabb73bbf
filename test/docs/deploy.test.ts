// examples/deploy cannot rot: its calls are calls of our command line, its variables are ones that we read, its servers
// take their configuration, and its units are units.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { findNatsServer } from '../../scripts/find-nats-server.mjs'
import { formatBlock, usersOf } from '../../src/cli/permissions/block.ts'
import { createProgram } from '../../src/cli/program.ts'
import { createUserKey } from '../../src/transport/nats/nkeys.ts'
import { filesIn } from '../tidy/support/sources.ts'
import { read } from './support.ts'

const PLACE = 'examples/deploy'
const directory = mkdtempSync(join(tmpdir(), 'quorate-deploy-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const serve = (await createProgram()).commands.find((command) => command.name() === 'serve')
const flags = new Set(serve?.options.map(({ long }) => long))
const variables = new Set(serve?.options.flatMap(({ envVar }) => envVar ?? []))

const documents = (path: string): unknown[] =>
  parseAllDocuments(read(path)).map((document) => {
    expect(document.errors).toEqual([])
    return document.toJS()
  })

const serviceSchema = z.object({
  image: z.string(),
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()),
})
const composeSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.unknown()),
})
const statefulSchema = z.object({
  kind: z.literal('StatefulSet'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.number(),
    template: z.object({
      spec: z.object({
        terminationGracePeriodSeconds: z.number().optional(),
        containers: z.array(
          z.object({
            args: z.array(z.string()),
            env: z.array(z.object({ name: z.string(), value: z.string().optional() })),
          }),
        ),
      }),
    }),
  }),
})

function expectCall(args: readonly string[], environment: readonly string[]): void {
  expect(args[0]).toBe('serve')
  const strange = args.filter((word) => word.startsWith('--') && !flags.has(word))
  const unread = environment.filter((name) => name.startsWith('QUORATE_') && !variables.has(name))
  expect({ strange, unread }).toEqual({ strange: [], unread: [] })
}

const flagOf = (args: readonly string[], flag: string): string => args[args.indexOf(flag) + 1] ?? ''

test('there is something to compare with', () => {
  expect(flags).toContain('--nkey')
  expect(variables).toContain('QUORATE_NATS')
})

describe.each([3, 5])('%i members', (count) => {
  test('in containers', () => {
    const [page, ...more] = documents(`${PLACE}/container/compose-${count}.yaml`)
    expect(more).toEqual([])
    const { services, volumes } = composeSchema.parse(page)
    const members = Object.entries(services).filter(([, { image }]) => image === 'quorate')
    const names = members.map(([name]) => name)
    expect([names.length, Object.keys(volumes).length]).toEqual([count, count])
    for (const [name, { command, environment, volumes: own }] of members) {
      expectCall(command, Object.keys(environment))
      expect(flagOf(command, '--id')).toBe(name)
      expect(flagOf(command, '--peers').split(',')).toEqual(names)
      expect(own.some((volume) => volume.endsWith(`:${flagOf(command, '--nkey')}:ro`))).toBe(true)
      const hosts = environment.QUORATE_NATS?.split(',').map((url) => new URL(url).hostname)
      expect(hosts?.length).toBe(3)
      for (const host of hosts ?? []) expect(Object.keys(services)).toContain(host)
    }
  })

  test('on Kubernetes', () => {
    const sets = documents(`${PLACE}/kubernetes/quorate-${count}.yaml`).flatMap(
      (document) => statefulSchema.safeParse(document).data ?? [],
    )
    expect(sets.map(({ spec }) => spec.replicas)).toEqual([count])
    const pod = sets[0]?.spec.template.spec
    const { args = [], env = [] } = pod?.containers[0] ?? {}
    expectCall(
      args,
      env.map(({ name }) => name),
    )
    const names = Array.from({ length: count }, (_, i) => `${sets[0]?.metadata.name}-${i}`)
    expect(flagOf(args, '--peers').split(',')).toEqual(names)
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(10)
  })
})

test('the unit of a member calls what there is, with variables that are read', () => {
  const unit = read(`${PLACE}/systemd/quorate@.service`)
  const call = /^ExecStart=\S*quorate (.*)$/m.exec(unit)?.[1] ?? ''
  const names = [...read(`${PLACE}/systemd/quorate.env`).matchAll(/^#?([A-Z_]+)=/gm)].map(
    ([, name = '']) => name,
  )
  expectCall(call.split(' '), names)
  for (const [, used = ''] of call.matchAll(/\$\{(\w+)\}/g)) expect(names).toContain(used)
})

test('systemd finds nothing wrong with the units, where it is there', () => {
  for (const name of ['quorate@.service', 'nats-server.service']) {
    const unit = read(`${PLACE}/systemd/${name}`).replaceAll(/=\/usr\/bin\/\S+/g, '=/bin/true')
    writeFileSync(join(directory, name), unit)
    const { error, stderr, status } = spawnSync('systemd-analyze', ['verify', join(directory, name)], {
      encoding: 'utf8',
    })
    if (error === undefined) expect([stderr, status]).toEqual(['', 0])
  }
})

describe('nats-server takes', () => {
  const named = { members: ['n1', 'n2', 'n3'], clients: ['app'], operators: ['ops'] }
  const users = formatBlock(
    usersOf(named, { prefix: 'quorate' }, () => ({ nkey: createUserKey().publicKey })),
  )
  const [, configMap] = documents(`${PLACE}/kubernetes/nats.yaml`)
  const inMap = z.object({ data: z.object({ 'nats.conf': z.string() }) }).parse(configMap).data['nats.conf']

  test.each([
    ...['a', 'b', 'c'].map((server) => [`nats-${server}.conf`, read(`${PLACE}/nats/nats-${server}.conf`)]),
    ['the one of Kubernetes', inMap],
  ])('%s', (_, config) => {
    for (const [folder, file, text] of [
      ['nats', 'nats.conf', config],
      ['nats', 'users.conf', users],
      ['nats-users', 'users.conf', users],
    ] as const) {
      mkdirSync(join(directory, folder), { recursive: true })
      writeFileSync(join(directory, folder, file), text)
    }
    const { stderr, status } = spawnSync(
      findNatsServer() ?? 'nats-server',
      ['-t', '-c', join(directory, 'nats', 'nats.conf')],
      { encoding: 'utf8', env: { ...process.env, POD_NAME: 'nats-0' } },
    )
    expect([status, stderr]).toEqual([0, expect.stringMatching(/configuration file .* is valid|^$/)])
  })
})

test('the image copies what there is', () => {
  const copied = [...read(`${PLACE}/container/Dockerfile`).matchAll(/from=build \/quorate\/(\S+)/g)]
  expect(copied.map(([, what]) => what)).toEqual(['package.json', 'node_modules', 'dist'])
})

test('its README names every file', () => {
  const text = read(`${PLACE}/README.md`)
  const files = filesIn([PLACE], /.*/).filter((path) => !path.endsWith('README.md'))
  expect(files.length).toBeGreaterThan(9)
  const unnamed = files
    .map((path) => path.split('/').at(-1) ?? '')
    .filter((name) => {
      const family = name.replace(/-[bc]\.conf$/, '-a.conf').replace('-5.yaml', '-3.yaml')
      return !text.includes(family)
    })
  expect(unnamed).toEqual([])
})
