// A child process that answers one question at a time.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { MemberAnswer, MemberRequest } from './protocol.ts'

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class Child {
  readonly process: ChildProcess

  private constructor(script: string, args: readonly string[], execArgv: readonly string[]) {
    this.process = fork(new URL(script, import.meta.url), [...args], { execArgv: [...execArgv] })
    running.add(this.process)
    this.process.once('exit', () => running.delete(this.process))
  }

  /** Resolves when the process says that it is ready. */
  static async start(
    script: string,
    args: readonly string[],
    execArgv: readonly string[] = [],
  ): Promise<Child> {
    const child = new Child(script, args, execArgv)
    await child.#next('ready')
    return child
  }

  async ask<K extends MemberAnswer['kind']>(
    kind: K,
    request: MemberRequest,
  ): Promise<Extract<MemberAnswer, { kind: K }>> {
    const answer = this.#next(kind)
    this.process.send(request)
    return answer
  }

  /** Says what has no answer. */
  tell(request: MemberRequest): void {
    this.process.send(request)
  }

  /** Lets it end by itself, so that it can write what it was told to write. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const exited = once(this.process, 'exit')
    this.process.disconnect()
    await exited
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const exited = once(this.process, 'exit')
    this.process.kill(signal)
    await exited
  }

  #next<K extends MemberAnswer['kind']>(kind: K): Promise<Extract<MemberAnswer, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void =>
        reject(new Error(`A child process ended early (exit code ${code}).`))
      this.process.once('exit', onExit)
      const onMessage = (answer: MemberAnswer): void => {
        this.process.off('exit', onExit)
        this.process.off('message', onMessage)
        if (isOfKind(answer, kind)) resolve(answer)
        else
          reject(
            new Error(answer.kind === 'failed' ? answer.message : `Expected ${kind}, heard ${answer.kind}.`),
          )
      }
      this.process.on('message', onMessage)
    })
  }
}

function isOfKind<K extends MemberAnswer['kind']>(
  answer: MemberAnswer,
  kind: K,
): answer is Extract<MemberAnswer, { kind: K }> {
  return answer.kind === kind
}
