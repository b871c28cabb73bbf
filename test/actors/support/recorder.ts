// A state machine that remembers every call, in order, and does with a command what the command says.

import type { StateMachine } from '../../../src/state-machine.ts'

/** `later`: resolves when `finish` is called. */
export type Command = { readonly put: unknown } | { readonly throw: string } | { readonly later: string }

export class Recorder implements StateMachine<Command, unknown, unknown, unknown> {
  readonly calls: string[] = []
  readonly applied: { readonly index: number; readonly term: number; readonly command: Command }[] = []
  readonly errors: Error[] = []
  readonly #later = new Map<string, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>()

  apply(command: Command, at: { readonly index: number; readonly term: number }): unknown {
    this.calls.push(`apply ${at.index}`)
    if ('throw' in command) throw new Error(command.throw)
    this.applied.push({ index: at.index, term: at.term, command })
    if ('later' in command) {
      return new Promise((resolve, reject) => this.#later.set(command.later, { resolve, reject }))
    }
    return `did ${JSON.stringify(command.put)}`
  }

  /** Lets an asynchronous command come back. */
  async finish(name: string, error?: Error): Promise<void> {
    const waiting = this.#later.get(name)
    if (waiting === undefined) throw new Error(`nobody waits for ${name}`)
    if (error === undefined) waiting.resolve(`did ${name}`)
    else waiting.reject(error)
    // The promise tells the queue in a microtask of its own.
    await Promise.resolve()
    await Promise.resolve()
  }

  read(query: unknown): unknown {
    this.calls.push('read')
    if (query === 'throw') throw new Error('no such query')
    if (query === 'later') return Promise.resolve({ query, applied: this.applied.length })
    return { query, applied: this.applied.length }
  }

  onConfigurationCommitted({ peers }: { readonly peers: readonly string[] }, index: number): void {
    this.calls.push(`configuration ${peers.join(',')} @${index}`)
  }

  onLeaderStart(term: number): void {
    this.calls.push(`leaderStart ${term}`)
  }

  onLeaderStop(reason: string): void {
    this.calls.push(`leaderStop ${reason}`)
  }

  onStartFollowing({ leader, term, reason }: { leader: string; term: number; reason: string }): void {
    this.calls.push(`startFollowing ${leader} ${term} ${reason}`)
  }

  onStopFollowing({ leader, term, reason }: { leader: string; term: number; reason: string }): void {
    this.calls.push(`stopFollowing ${leader} ${term} ${reason}`)
  }

  onError(error: Error): void {
    this.calls.push('error')
    this.errors.push(error)
  }

  onShutdown(): void {
    this.calls.push('shutdown')
  }
}
