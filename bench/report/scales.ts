// From figures to places in a plot: d3's scales, with ends and ticks as our plots want them.

import { scaleLinear, scaleLog } from 'd3-scale'

export interface Axis {
  /** Where a value is drawn, in units of the picture. */
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

const MOST_TICKS = 7

/** From the least value to the largest; ticks are at the values themselves, as far apart as labels need. */
export function logAcross(values: readonly number[], from: number, to: number, apart: number): Axis {
  const sorted = [...new Set(values)].sort((a, b) => a - b)
  const [least, most] = endsOf(sorted)
  const at = scaleLog().domain([least, most]).range([from, to])
  const ticks: number[] = []
  for (const value of sorted) {
    const last = ticks.at(-1)
    if (last === undefined || at(value) - at(last) >= apart) ticks.push(value)
  }
  return { at, ticks }
}

/** Round ends. Values of zero and less have no place on it. */
export function logUp(values: readonly number[], from: number, to: number): Axis {
  const [least, most] = endsOf(values.filter((value) => value > 0))
  const at = scaleLog().domain([least, most]).range([from, to]).nice()
  const all = at.ticks()
  const lists = [[1, 2, 5], [1]].map((leading) => all.filter((tick) => leading.includes(leadingDigit(tick))))
  const ticks = [all, ...lists].find((list) => list.length <= MOST_TICKS) ?? everyFew(lists.at(-1) ?? all)
  return { at, ticks }
}

/** From zero. */
export function linearUp(values: readonly number[], from: number, to: number): Axis {
  const most = Math.max(0, ...values)
  const at = scaleLinear()
    .domain([0, most > 0 ? most : 1])
    .range([from, to])
    .nice(5)
  return { at, ticks: at.ticks(5) }
}

/** Never the same twice: a scale has to have a length. */
function endsOf(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [1, 10]
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return least === most ? [least / 2, most * 2] : [least, most]
}

function leadingDigit(value: number): number {
  return Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9))
}

function everyFew(ticks: readonly number[]): readonly number[] {
  const step = Math.ceil(ticks.length / MOST_TICKS)
  return ticks.filter((_, at) => at % step === 0)
}
