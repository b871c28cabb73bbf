// What the bare pipe counts, and how figures become shares of it.

import { expect, test } from 'vitest'
import { inTurns, Waiting } from '../../bench/pipe-turns.ts'
import type { Row } from '../../bench/protocol.ts'
import { comparedWith, medianOf } from '../../bench/rounds.ts'

test('commands of one turn leave together, in parts that the bus takes, and are done by their number', async () => {
  const sent: number[] = []
  const settled: number[] = []
  const waiting = new Waiting()
  const apply = inTurns((commands) => void sent.push(commands.length), waiting)
  const command = new Uint8Array(300_000)
  const done = [1, 2, 3].map((number) => apply(command).then(() => settled.push(number)))
  await new Promise((resolve) => setImmediate(resolve))
  expect(sent).toEqual([2, 1])
  waiting.settle(2)
  // What was said before is said again by a slower one.
  waiting.settle(1)
  await Promise.all(done.slice(0, 2))
  expect(settled).toEqual([1, 2])
  waiting.settle(3)
  await Promise.all(done)
  expect(settled).toEqual([1, 2, 3])
})

test('one command that is larger than a part has one of its own', async () => {
  const sent: number[] = []
  const apply = inTurns((commands) => void sent.push(commands.length), new Waiting())
  void apply(new Uint8Array(900_000))
  void apply(new Uint8Array(10))
  await new Promise((resolve) => setImmediate(resolve))
  expect(sent).toEqual([1, 1])
})

const row = (mode: Row['mode'], commitsPerSecond: number, p50ms: number): Row => ({
  ...{ mode, clients: 1, size: 100, members: 3, commitsPerSecond, p50ms, p99ms: 9 },
  ...{ loopP99ms: null, cpuSeconds: null, rssMb: null, shareOfPipe: 1, p50OfPipe: 1 },
})

test('a figure is a share of the pipe of its round, and the median of all rounds', () => {
  const rounds = [
    comparedWith(row('remotePipe', 1000, 1), row('remote', 500, 3)),
    comparedWith(row('remotePipe', 2000, 2), row('remote', 400, 2)),
    comparedWith(row('remotePipe', 1000, 1), row('remote', 900, 2)),
  ]
  expect(medianOf(rounds)).toMatchObject({ commitsPerSecond: 500, shareOfPipe: 0.5, p50OfPipe: 2, p50ms: 2 })
})
