// A child process that answers one question at a time.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { MemberAnswer, MemberRequest } from './protocol.ts'

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** What is asked and answered is the members', unless it says otherwise. */
export class Child<Request extends object = MemberRequest, Answer extends { kind: string } = MemberAnswer> {
  readonly process: ChildProcess

  private constructor(script: string, args: readonly string[], execArgv: readonly string[]) {
    this.process = fork(new URL(script, import.meta.url), [...args], { execArgv: [...execArgv] })
    running.add(this.process)
    this.process.once('exit', () => running.delete(this.process))
  }

  /** Resolves when the process says that it is ready. */
  static async start<Request extends object = MemberRequest, Answer extends { kind: string } = MemberAnswer>(
    script: string,
    args: readonly string[],
    execArgv: readonly string[] = [],
  ): Promise<Child<Request, Answer>> {
    const child = new Child<Request, Answer>(script, args, execArgv)
    await child.#next('ready')
    return child
  }

  async ask<K extends Answer['kind']>(kind: K, request: Request): Promise<Extract<Answer, { kind: K }>> {
    const answer = this.#next(kind)
    this.process.send(request)
    return answer
  }

  /** Says what has no answer. */
  tell(request: Request): void {
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

  #next<K extends Answer['kind']>(kind: K): Promise<Extract<Answer, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void =>
        reject(new Error(`A child process ended early (exit code ${code}).`))
      this.process.once('exit', onExit)
      const onMessage = (answer: Answer): void => {
        this.process.off('exit', onExit)
        this.process.off('message', onMessage)
        if (isOfKind(answer, kind)) resolve(answer)
        else
          reject(
            new Error(
              'message' in answer ? String(answer.message) : `Expected ${kind}, heard ${answer.kind}.`,
            ),
          )
      }
      this.process.on('message', onMessage)
    })
  }
}

function isOfKind<Answer extends { kind: string }, K extends Answer['kind']>(
  answer: Answer,
  kind: K,
): answer is Extract<Answer, { kind: K }> {
  return answer.kind === kind
}
