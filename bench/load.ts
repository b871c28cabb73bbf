// A closed loop of clients: each sends its next command when the last one is answered.

import type { LoadResult } from './protocol.ts'

export interface LoadOptions {
  readonly clients: number
  readonly size: number
  readonly seconds: number
  readonly apply: (command: Uint8Array) => Promise<unknown>
}

const WARM_UP_SECONDS = 0.5

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  await measure({ ...options, seconds: WARM_UP_SECONDS })
  return measure(options)
}

async function measure({ clients, size, seconds, apply }: LoadOptions): Promise<LoadResult> {
  const command = new Uint8Array(size).fill(65)
  const latencies: number[] = []
  const start = performance.now()
  const end = start + seconds * 1000
  const client = async (): Promise<void> => {
    for (let sent = performance.now(); sent < end; ) {
      await apply(command)
      const now = performance.now()
      latencies.push(now - sent)
      sent = now
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const took = (performance.now() - start) / 1000
  const sorted = Float64Array.from(latencies).sort()
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
  return { commits: sorted.length, seconds: took, p50ms: at(0.5), p99ms: at(0.99) }
}
