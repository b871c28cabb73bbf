// How far looking through a log has got, on a terminal: a long one takes its time.

import { Presets, SingleBar } from 'cli-progress'
import type { Finding } from './finding.ts'

export function withBar(
  look: (onProgress: (done: number, total: number) => void) => readonly Finding[],
): readonly Finding[] {
  if (!process.stderr.isTTY) return look(() => {})
  const bar = new SingleBar(
    { format: '{bar} {value} of {total} entries', clearOnComplete: true },
    Presets.rect,
  )
  let isShown = false
  try {
    return look((done, total) => {
      if (!isShown) bar.start(total, 0)
      isShown = true
      bar.update(done)
    })
  } finally {
    bar.stop()
  }
}
