// Several rounds of the same measurement, and what is typical of them: a machine has better and worse seconds.

import type { Row } from './protocol.ts'

/** A round's figures as shares of the bare pipe that was measured just before. */
export function comparedWith(pipe: Row, row: Row): Row {
  const shareOfPipe = rounded(row.commitsPerSecond / pipe.commitsPerSecond)
  return { ...row, shareOfPipe, p50OfPipe: rounded(row.p50ms / pipe.p50ms) }
}

/** The median of each column, also of the shares: each round is compared with its own pipe. */
export function medianOf(rows: readonly Row[]): Row {
  const [first] = rows
  if (first === undefined) throw new RangeError('There is no median of nothing.')
  const median = (value: (row: Row) => number | null): number | null => {
    const values = rows.map(value).filter((one) => one !== null)
    return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null
  }
  return {
    ...first,
    commitsPerSecond: median((row) => row.commitsPerSecond) ?? 0,
    p50ms: median((row) => row.p50ms) ?? 0,
    p99ms: median((row) => row.p99ms) ?? 0,
    loopP99ms: median((row) => row.loopP99ms),
    cpuSeconds: median((row) => row.cpuSeconds),
    rssMb: median((row) => row.rssMb),
    shareOfPipe: median((row) => row.shareOfPipe),
    p50OfPipe: median((row) => row.p50OfPipe),
  }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000
