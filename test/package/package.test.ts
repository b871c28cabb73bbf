// The package as others get it: packed, put into an empty project with nothing but what it depends on, and used there.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CONSUMER = fileURLToPath(new URL('consumer', import.meta.url))
const DOORS = ['', '/client', '/inspect', '/machines', '/testing', '/xstate'].map((door) => `quorate${door}`)

const manifestSchema = z.object({
  version: z.string(),
  bin: z.object({ quorate: z.string() }),
  dependencies: z.record(z.string(), z.string()),
  exports: z.record(z.string(), z.unknown()),
})
const packedSchema = z.tuple([
  z.object({ filename: z.string(), files: z.array(z.object({ path: z.string(), mode: z.number() })) }),
])

let project: string
let tarball: string
let files: readonly { readonly path: string; readonly mode: number }[]
let manifest: z.output<typeof manifestSchema>

function run(command: string, args: readonly string[], cwd = project): SpawnSyncReturns<string> {
  return spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } })
}

const node = (...args: readonly string[]) => run(process.execPath, args)

/** A program of one of the packages that this repository develops with. */
function tool(name: string, program: string): string {
  return join(ROOT, 'node_modules', name, program)
}

/** As an installation would, but from what is here already: what the package does not ask for is not there. */
function install(): void {
  const modules = join(project, 'node_modules')
  mkdirSync(modules, { recursive: true })
  expect(run('tar', ['-xzf', tarball, '-C', modules]).status).toBe(0)
  run('mv', ['package', 'quorate'], modules)
  manifest = manifestSchema.parse(JSON.parse(readFileSync(join(modules, 'quorate', 'package.json'), 'utf8')))
  for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  cpSync(CONSUMER, project, { recursive: true })
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }')
}

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'quorate-consumer-'))
  const packed = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], ROOT)
  const [{ filename, files: listed }] = packedSchema.parse(JSON.parse(packed.stdout))
  files = listed
  tarball = join(project, filename)
  install()
}, 60_000)
afterAll(() => rmSync(project, { recursive: true, force: true }))

describe('the tarball', () => {
  test('holds what is built, its pages and its charts, and nothing that only we need', () => {
    const places = [
      /^dist\/src\/.+\.(js|d\.ts|js\.map)$/,
      /^dist\/src\/page\/browser\/(index\.html|page\.css)$/,
      /^docs\/([\w-]+\.md|pictures\/[\w-]+\.png)$/,
      /^statecharts\/[\w.-]+$/,
    ]
    const single = ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE']
    const paths = files.map(({ path }) => path)
    const strange = paths.filter(
      (path) => !single.includes(path) && !places.some((place) => place.test(path)),
    )
    expect(strange).toEqual([])
    expect(paths.filter((path) => /mutant|\.test\.|fixture/.test(path))).toEqual([])
    for (const path of [...single, 'dist/src/index.js', 'dist/src/client.d.ts']) expect(paths).toContain(path)
  })

  test('holds every module that is there in the sources, and no other', () => {
    const walk = (folder: string): string[] =>
      readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? walk(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
      )
    const expected = walk('src')
      .filter((path) => path.endsWith('.ts') && !path.startsWith('src/page/browser/'))
      .map((path) => `dist/${path.replace(/ts$/, 'js')}`)
      // Browsers get all of theirs in one.
      .concat('dist/src/page/browser/page.js')
    expect(
      files
        .map(({ path }) => path)
        .filter((path) => path.endsWith('.js'))
        .sort(),
    ).toEqual(expected.sort())
  })

  test('has a command that can be started', () => {
    const command = files.find(({ path }) => path === manifest.bin.quorate)
    expect((command?.mode ?? 0) & 0o111).toBe(0o111)
  })

  test('has source maps with their sources, which are not there otherwise', () => {
    const map: unknown = JSON.parse(
      readFileSync(join(project, 'node_modules/quorate/dist/src/errors.js.map'), 'utf8'),
    )
    expect(map).toMatchObject({ sourcesContent: [expect.stringContaining('class QuorateError')] })
  })
})

describe('a strict project', () => {
  const strict = {
    ...{ strict: true, skipLibCheck: false, noEmit: true, noUncheckedIndexedAccess: true },
    ...{ target: 'es2023', lib: ['es2023', 'esnext.disposable'], types: ['node'] },
  }

  test.each([
    ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }, ['doors.ts', 'doors.cts']],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }, ['doors.ts']],
  ])('compiles under %s, with every declaration checked', { timeout: 60_000 }, (name, options, sources) => {
    const config = `tsconfig.${name}.json`
    const compilerOptions = { ...strict, ...options }
    writeFileSync(join(project, config), JSON.stringify({ compilerOptions, files: sources }))
    const { stdout, status } = node(tool('typescript', 'bin/tsc'), '-p', config)
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
  })
})

describe('a program', () => {
  test('runs with ES modules', { timeout: 60_000 }, () => {
    const { stdout, stderr, status } = node('run.mjs', join(project, 'data'))
    expect({ stdout, stderr, status }).toEqual({ stdout: '40 40\n40 40\nsimulated\n', stderr: '', status: 0 })
  })

  test('runs with require, every door', () => {
    const { stdout, stderr, status } = node('run.cjs')
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    const lines = stdout.trim().split('\n')
    expect(lines.map((line) => line.split(' ')[0])).toEqual([...DOORS, 'quorate'])
    expect(lines[0]).toContain(' openHost ')
    expect(lines[1]).toBe('quorate/client attachServices connectAdmin connectClient watchGroup')
  })

  test('finds the command, in its own version', () => {
    const command = join('node_modules', 'quorate', manifest.bin.quorate)
    expect(node(command, '--version').stdout).toBe(`${manifest.version}\n`)
    expect(node(command, 'permissions', '--clients', 'app', '--json').status).toBe(0)
    const demo = node(command, 'demo', '--writes', '200', '--json')
    expect(JSON.parse(demo.stdout)).toMatchObject({ ok: true, lost: 0 })
  })

  test('reaches nothing but the doors', () => {
    expect(Object.keys(manifest.exports)).toEqual([
      '.',
      './client',
      './inspect',
      './machines',
      './xstate',
      './testing',
      './package.json',
    ])
    const { stderr } = node('--input-type=module', '-e', "await import('quorate/dist/src/index.js')")
    expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})

describe('others find nothing to complain about:', () => {
  test('publint', () => {
    const { stdout, status } = node(tool('publint', 'src/cli.js'), 'run', tarball, '--strict')
    expect(stdout).toContain('All good!')
    expect(status).toBe(0)
  })

  test('are the types wrong?', { timeout: 60_000 }, () => {
    // ES modules only, which `require` takes from Node 20.19 on; resolution as of Node 10 knows no subpaths.
    const args = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm', '--format', 'json']
    const { stdout, stderr, status } = node(tool('@arethetypeswrong/cli', 'dist/index.js'), tarball, ...args)
    expect({ status, said: status === 0 ? '' : `${stdout}${stderr}` }).toEqual({ status: 0, said: '' })
  })
})
