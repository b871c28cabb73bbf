// Runs a program of Node with a small library in front of the operating system (disk-tap.c), which writes down what
// reaches the disk, and reads that back.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { compilerAdvice, findCompiler } from '../../../scripts/find-compiler.mjs'

/** One thing that happened to the files, in order. `path` is relative to the directory that is watched. */
export interface DiskEvent {
  readonly type: 'create' | 'write' | 'truncate' | 'sync' | 'unlink' | 'mkdir'
  readonly path: string
  /** Where it was written, or the size it was cut to. */
  readonly at: number
  readonly data: Buffer
}

export interface Tapped {
  readonly child: ChildProcess
  readonly ended: Promise<{
    readonly code: number | null
    readonly signal: NodeJS.Signals | null
    readonly stderr: string
  }>
}

export interface TapFaults {
  /** Instead of this sync, counted from 1, the process dies. */
  readonly killAtSync?: number
  /** While this file is there, no sync returns. */
  readonly stallFile?: string
}

const HEAD_BYTES = 15
const TYPES: Readonly<Record<string, DiskEvent['type']>> = {
  C: 'create',
  W: 'write',
  T: 'truncate',
  S: 'sync',
  U: 'unlink',
  M: 'mkdir',
}

/** Files in memory where the system has them: the power is cut in effect only, and often. */
export function scratchDirectory(): string {
  const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const directory = mkdtempSync(join(place, 'quorate-power-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export class DiskTap {
  /** What is watched. */
  readonly root: string
  readonly #log: string
  readonly #library: string

  constructor() {
    const scratch = scratchDirectory()
    this.root = join(scratch, 'root')
    this.#log = join(scratch, 'log')
    this.#library = build(scratch)
    mkdirSync(this.root)
  }

  run(args: readonly string[], faults: TapFaults = {}): Tapped {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      LD_PRELOAD: this.#library,
      QUORATE_TAP_DIR: this.root,
      QUORATE_TAP_LOG: this.#log,
    }
    if (faults.killAtSync !== undefined) env.QUORATE_TAP_KILL = String(faults.killAtSync)
    if (faults.stallFile !== undefined) env.QUORATE_TAP_STALL = faults.stallFile
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
    onTestFinished(() => void child.kill('SIGKILL'))
    let stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    const ended = new Promise<Awaited<Tapped['ended']>>((resolve) =>
      child.once('close', (code, signal) => resolve({ code, signal, stderr })),
    )
    return { child, ended }
  }

  /** Everything so far, of all runs. */
  events(): DiskEvent[] {
    const log = readFileSync(this.#log)
    const events: DiskEvent[] = []
    for (let at = 0; at + HEAD_BYTES <= log.length; ) {
      const pathBytes = log.readUInt16LE(at + 1)
      const dataBytes = log.readUInt32LE(at + 11)
      const pathAt = at + HEAD_BYTES
      const type = TYPES[String.fromCharCode(log.readUInt8(at))]
      if (type === undefined) throw new Error(`The log of the disk tap makes no sense at byte ${at}.`)
      events.push({
        type,
        path: log.toString('utf8', pathAt, pathAt + pathBytes).slice(this.root.length + 1),
        at: Number(log.readBigUInt64LE(at + 3)),
        data: log.subarray(pathAt + pathBytes, pathAt + pathBytes + dataBytes),
      })
      at = pathAt + pathBytes + dataBytes
    }
    return events
  }
}

function build(directory: string): string {
  const compiler = findCompiler()
  if (process.platform !== 'linux')
    throw new Error('Cutting the power in effect needs Linux: it preloads a library.')
  if (compiler === undefined) throw new Error(compilerAdvice)
  const library = join(directory, 'disk-tap.so')
  const source = fileURLToPath(new URL('./disk-tap.c', import.meta.url))
  const args = ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-pthread']
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The disk tap does not compile:\n${stderr}`)
  return library
}
