// Runs the built command as a process of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseStrictJson } from '../support/strict-json.ts'

/** Beside this file when it is built itself, else in `dist`. */
export const MAIN =
  ['../../src/cli/main.js', '../../dist/src/cli/main.js']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path)) ?? null

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** No file can grow beyond this: writes fail there, as on a full disk. */
  readonly maxFileKiB?: number
}

export interface Running {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  /** Everything on stdout so far. */
  stdout(): string
  /** Resolves when stdout holds `text`, beyond its first `after` characters. Rejects when the process ends before. */
  until(text: string, after?: number): Promise<void>
  /** The same for stderr. */
  untilSaid(text: string): Promise<void>
}

export function startCli(args: readonly string[], options: RunOptions = {}): Running {
  if (MAIN === null) throw new Error('There is no dist/src/cli/main.js: run `npm run build` first.')
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('QUORATE_'))
  const command = [process.execPath, MAIN, ...args]
  const limited = ['bash', '-c', 'ulimit -f "$0" && exec "$@"', String(options.maxFileKiB), ...command]
  const [file = '', ...rest] = options.maxFileKiB === undefined ? command : limited
  const child = spawn(file, rest, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(inherited), ...options.env },
  })
  let stdout = ''
  let stderr = ''
  const waiting = new Set<() => void>()
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    for (const look of waiting) look()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    for (const look of waiting) look()
  })
  if (options.input !== undefined) child.stdin.end(options.input)
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
  const untilIn = (read: () => string, text: string, after = 0): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!read().includes(text, after)) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
      void finished.then(() => reject(new Error(`It ended without ${text}:\n${stdout}\n${stderr}`)))
    })
  return {
    ...{ child, finished, stdout: () => stdout },
    until: (text, after) => untilIn(() => stdout, text, after),
    untilSaid: (text) => untilIn(() => stderr, text),
  }
}

export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return startCli(args, { input: '', ...options }).finished
}

/** The JSON documents on stdout, one per line. A key that is there twice is refused. */
export function jsonLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseStrictJson)
}
