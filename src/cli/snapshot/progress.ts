// A progress bar on stderr for work that is counted in bytes. Only on terminals: logs and scripts get none.

import { Presets, SingleBar } from 'cli-progress'
import { formatProgress } from '../units.ts'

const REDRAW_MS = 100

/** @param work is handed the function to be called with the bytes that were done since the last call. */
export async function withProgress<T>(
  what: string,
  totalBytes: number,
  work: (onBytes: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY) return await work(() => {})
  const startedMs = performance.now()
  let doneBytes = 0
  let drawnMs = 0
  const bar = new SingleBar(
    { format: `${what} {bar} {percentage}% | {words}`, clearOnComplete: true, hideCursor: true },
    Presets.rect,
  )
  bar.start(totalBytes, 0, { words: '' })
  try {
    return await work((bytes) => {
      doneBytes += bytes
      const nowMs = performance.now()
      if (nowMs - drawnMs < REDRAW_MS) return
      drawnMs = nowMs
      const words = formatProgress(doneBytes, totalBytes, (doneBytes / (nowMs - startedMs)) * 1000)
      bar.update(doneBytes, { words })
    })
  } finally {
    bar.stop()
  }
}
