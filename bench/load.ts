// A closed loop of clients: each sends its next command when the last one is answered. And an open one, at a steady rate.

import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadResult } from './protocol.ts'

export interface LoadOptions {
  readonly clients: number
  readonly size: number
  readonly seconds: number
  readonly apply: (command: Uint8Array) => Promise<unknown>
}

const WARM_UP_SECONDS = 0.5
const SLICE_MS = 250

export async function runLoad({ seconds, ...load }: LoadOptions): Promise<LoadResult> {
  const lasting = (duration: number): ((sent: number, nowMs: number) => boolean) => {
    const end = performance.now() + duration * 1000
    return (_sent, nowMs) => nowMs < end
  }
  await measure({ ...load, goesOn: lasting(WARM_UP_SECONDS) })
  return measure({ ...load, goesOn: lasting(seconds) })
}

export interface OpenLoadOptions extends Omit<LoadOptions, 'seconds'> {
  /** Asked before each command is sent, with the number of those that were sent before, and the time. */
  readonly goesOn: (sent: number, nowMs: number) => boolean
}

export async function measure({ clients, size, goesOn, apply }: OpenLoadOptions): Promise<LoadResult> {
  const command = new Uint8Array(size).fill(65)
  const latencies: number[] = []
  const slices: number[] = []
  const start = performance.now()
  let sentCount = 0
  const client = async (): Promise<void> => {
    for (let sent = performance.now(); goesOn(sentCount, sent); ) {
      sentCount++
      await apply(command)
      const now = performance.now()
      latencies.push(now - sent)
      const slice = Math.floor((now - start) / SLICE_MS)
      slices[slice] = (slices[slice] ?? 0) + 1
      sent = now
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return resultOf(latencies, slices, start)
}

/** Makes so many commits and remembers nothing of them: there may be millions. */
export async function fill(
  commits: number,
  { clients, size, apply }: Omit<LoadOptions, 'seconds'>,
): Promise<void> {
  const command = new Uint8Array(size).fill(65)
  let sentCount = 0
  const client = async (): Promise<void> => {
    for (; sentCount < commits; ) {
      sentCount++
      await apply(command)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
}

export interface SteadyLoadOptions extends Omit<LoadOptions, 'clients' | 'seconds'> {
  /** Commands a second. */
  readonly rate: number
  readonly goesOn: (nowMs: number) => boolean
}

const TICK_MS = 2

/**
 * An open loop: commands are sent at their time, whether or not those before were answered, and each has waited since
 * then, also when the loop was too busy to send it.
 */
export async function steady({ rate, size, goesOn, apply }: SteadyLoadOptions): Promise<LoadResult> {
  const command = new Uint8Array(size).fill(65)
  const latencies: number[] = []
  const slices: number[] = []
  const start = performance.now()
  const under: Promise<void>[] = []
  const send = async (dueMs: number): Promise<void> => {
    await apply(command)
    const now = performance.now()
    latencies.push(now - dueMs)
    const slice = Math.floor((now - start) / SLICE_MS)
    slices[slice] = (slices[slice] ?? 0) + 1
  }
  for (let dueMs = start; goesOn(performance.now()); await sleep(TICK_MS)) {
    for (const now = performance.now(); dueMs <= now; dueMs += 1000 / rate) under.push(send(dueMs))
  }
  await Promise.all(under)
  return resultOf(latencies, slices, start)
}

function resultOf(latencies: readonly number[], slices: readonly number[], start: number): LoadResult {
  const took = (performance.now() - start) / 1000
  const sorted = Float64Array.from(latencies).sort()
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
  // The last slice is not a whole one; one without a commit is a hole in the array.
  const whole = Array.from({ length: Math.max(1, slices.length - 1) }, (_, slice) => slices[slice] ?? 0)
  const slowestPerSecond = (Math.min(...whole) * 1000) / SLICE_MS
  return { commits: sorted.length, seconds: took, p50ms: at(0.5), p99ms: at(0.99), slowestPerSecond }
}
