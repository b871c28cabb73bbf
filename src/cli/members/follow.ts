// A change under way: shows on a terminal how far it has got, and lets go of it when Ctrl-C comes.

import { Presets, SingleBar } from 'cli-progress'
import type { PursuitOptions } from '../../client/pursuit.ts'
import { isQuorateError } from '../../errors.ts'
import type { ChangeStatus } from '../../status.ts'
import { formatCount, say } from '../output.ts'
import { exitCodeOfSignal, takeSignals } from '../signals.ts'
import { formatProgress } from '../units.ts'

/** Null: somebody has stopped waiting for it. The exit code says by which signal. */
export async function follow<T>(
  group: string,
  run: (options: PursuitOptions) => Promise<T>,
): Promise<T | null> {
  const interrupted = new AbortController()
  let exitCode = 0
  takeSignals((signal) => {
    exitCode = exitCodeOfSignal(signal)
    interrupted.abort()
  })
  const bar = new ChangeBar()
  try {
    return await run({ signal: interrupted.signal, onProgress: (progress) => bar.show(progress) })
  } catch (error) {
    if (!interrupted.signal.aborted || !isQuorateError(error) || error.code !== 'ABORTED') throw error
    bar.stop()
    say(
      error.outcome === 'unknown'
        ? `The group goes on with it: \`quorate members list --group ${group}\` shows how far it is.`
        : 'Nothing was changed.',
    )
    process.exitCode = exitCode
    return null
  } finally {
    bar.stop()
  }
}

export interface Measured {
  readonly what: string
  readonly done: number
  readonly total: number
  readonly words: string
}

/** How far a change is, by those who are given the log. `bytesPerSecond` 0: not known. */
export function measure({ stage, adding }: ChangeStatus, bytesPerSecond: number): Measured {
  if (stage !== 'catchingUp')
    return { what: 'Deciding', done: 1, total: 1, words: stage === 'joint' ? 'both sets' : 'the new set' }
  const what = `Giving the log to ${adding.map(({ peer }) => peer).join(', ')}`
  const bytes = bytesOf(adding)
  const left = adding.reduce((sum, { remainingEntries }) => sum + remainingEntries, 0)
  const entries = `${formatCount(left)} entries left`
  if (bytes.total > 0) {
    const words = `snapshot: ${formatProgress(bytes.done, bytes.total, bytesPerSecond)}; then ${entries}`
    return { what, ...bytes, words }
  }
  const done = adding.reduce((sum, { matchIndex }) => sum + matchIndex, 0)
  return { what, done, total: done + left, words: entries }
}

function bytesOf(adding: ChangeStatus['adding']): { readonly done: number; readonly total: number } {
  const sum = (read: (each: ChangeStatus['adding'][number]) => number | null): number =>
    adding.reduce((all, each) => all + (read(each) ?? 0), 0)
  return { done: sum(({ doneBytes }) => doneBytes), total: sum(({ totalBytes }) => totalBytes) }
}

class ChangeBar {
  #bar: SingleBar | null = null
  #last = { doneBytes: 0, atMs: 0 }

  show(progress: ChangeStatus | null): void {
    if (progress === null || !process.stderr.isTTY) return
    const { what, done, total, words } = measure(progress, this.#rate(bytesOf(progress.adding).done))
    if (this.#bar === null) {
      const format = '{what} {bar} {percentage}% | {words}'
      this.#bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true }, Presets.rect)
      this.#bar.start(Math.max(1, total), done, { what, words })
    }
    this.#bar.setTotal(Math.max(1, total))
    this.#bar.update(done, { what, words })
  }

  stop(): void {
    this.#bar?.stop()
    this.#bar = null
  }

  #rate(doneBytes: number): number {
    const atMs = performance.now()
    const { doneBytes: before, atMs: beforeMs } = this.#last
    this.#last = { doneBytes, atMs }
    return before === 0 || doneBytes < before ? 0 : ((doneBytes - before) / (atMs - beforeMs)) * 1000
  }
}
