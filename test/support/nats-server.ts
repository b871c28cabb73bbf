// A real nats-server of its own for a test: on a port the system chooses, ready when the promise resolves.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { findNatsServer } from '../../scripts/find-nats-server.mjs'

export interface NatsServerOptions {
  /** More lines for the configuration file, for example `max_payload: 64KB`. */
  readonly config?: string
  /** More variables for its environment. */
  readonly env?: Readonly<Record<string, string>>
}

const RESTART_ATTEMPTS = 40
const RESTART_PAUSE_MS = 50

/**
 * Ends `child` when this process is gone, however it went: a test runner that is killed runs no exit handlers. The
 * shell waits for the pipe from here to close.
 */
export function guard(child: ChildProcess, directory: string): void {
  const script = 'cat >/dev/null; kill -9 "$0" 2>/dev/null; rm -rf "$1"'
  const watchdog = spawn('sh', ['-c', script, String(child.pid), directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watchdog.unref()
  child.once('exit', () => {
    watchdog.kill('SIGKILL')
    watchdog.stdin.destroy()
  })
}

export class NatsServer {
  readonly #binary: string
  readonly #directory = mkdtempSync(join(tmpdir(), 'quorate-nats-'))
  readonly #env: Readonly<Record<string, string>>
  #config: string
  #process: ChildProcess | undefined
  #port = 0
  #log = ''

  /** Use `NatsServer.start`. */
  private constructor(binary: string, config: string, env: Readonly<Record<string, string>>) {
    this.#binary = binary
    this.#env = env
    this.#config = config
  }

  /** @throws when there is no nats-server, or when it does not like its configuration: the message holds its log. */
  static async start(options: NatsServerOptions = {}): Promise<NatsServer> {
    const binary = findNatsServer()
    if (binary === undefined)
      throw new Error('No nats-server: run `node scripts/find-nats-server.mjs --install`.')
    const server = new NatsServer(binary, options.config ?? '', options.env ?? {})
    try {
      await server.#launch(-1)
    } catch (error) {
      server.#clean()
      throw error
    }
    return server
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  /** What the server has written so far. */
  get log(): string {
    return this.#log
  }

  forgetLog(): void {
    this.#log = ''
  }

  /** Asks it to end, as an operator would, and waits until it has. Its files are removed: no restart after this. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    this.#clean()
  }

  /** Ends it at once, as a crash would. It can be restarted. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Starts it again on the same port, with other configuration lines if given. */
  async restart(config: string = this.#config): Promise<void> {
    await this.#end('SIGKILL')
    this.#config = config
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#launch(this.#port)
        return
      } catch (error) {
        // A connection of somebody else may sit on our port for a moment.
        if (attempt === RESTART_ATTEMPTS || !/address already in use/.test(String(error))) throw error
        await sleep(RESTART_PAUSE_MS)
      }
    }
  }

  /** Has the running server read other configuration lines, as an operator would: connections stay. */
  async reload(config: string): Promise<void> {
    this.#config = config
    this.forgetLog()
    this.#write(this.#port)
    this.#process?.kill('SIGHUP')
    await this.logged('Reloaded server configuration|Failed to reload')
    if (this.log.includes('Failed to reload')) throw new Error(`nats-server refuses it:\n${this.log}`)
  }

  /** Resolves when the server has written what the pattern fits. */
  async logged(pattern: string): Promise<void> {
    while (!new RegExp(pattern).test(this.log)) await sleep(RESTART_PAUSE_MS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #launch(port: number): Promise<void> {
    const file = this.#write(port)
    const child = spawn(this.#binary, ['-c', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...this.#env },
    })
    this.#process = child
    this.#log = ''
    guard(child, this.#directory)
    for await (const line of createInterface({ input: child.stderr })) {
      this.#log += `${line}\n`
      const listening = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(line)
      if (listening !== null) this.#port = Number(listening[1])
      if (line.includes('Server is ready')) {
        child.stderr.on('data', (chunk: Buffer) => {
          this.#log += chunk.toString()
        })
        child.stderr.resume()
        return
      }
    }
    throw new Error(`nats-server did not start:\n${this.log}`)
  }

  #write(port: number): string {
    const file = join(this.#directory, 'nats.conf')
    writeFileSync(file, `listen: "127.0.0.1:${port}"\n${this.#config}\n`)
    return file
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  #clean(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
