// Draws one plot: lines over an axis. Knows nothing of what was measured.

import { line } from 'd3-shape'
import { type Axis, linearUp, logAcross, logUp } from './scales.ts'
import { element, escaped, exact, short } from './svg.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Series {
  readonly name: string
  /** One of the page's colors, 1 to 4. */
  readonly color: 1 | 2 | 3 | 4
  readonly isDashed?: boolean
  readonly points: readonly Point[]
}

export interface Chart {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly yScale: 'log' | 'linear'
  readonly xFormat?: (value: number) => string
  readonly series: readonly Series[]
}

const WIDTH = 400
const HEIGHT = 270
const LEFT = 60
const RIGHT = 22
const TOP = 12
const BOTTOM = 44
const LABEL_GAP = 34
const RADIUS = 3.5

/** The plot with its title and, when there is more than one line, what is what. */
export function drawChart(chart: Chart): string {
  const title = element('figcaption', {}, escaped(chart.title))
  return element('figure', {}, `${title}${svgOf(chart)}${chart.series.length > 1 ? legendOf(chart) : ''}`)
}

function svgOf(chart: Chart): string {
  const points = chart.series.flatMap((series) => series.points)
  const xs = points.map(({ x }) => x)
  const ys = points.map(({ y }) => y)
  const across = logAcross(xs, LEFT, WIDTH - RIGHT, LABEL_GAP)
  const [bottom, top] = [HEIGHT - BOTTOM, TOP]
  const up = chart.yScale === 'log' ? logUp(ys, bottom, top) : linearUp(ys, bottom, top)
  const lines = chart.series.map((series) => lineOf(series, chart, across, up))
  const said = `${chart.title}: ${chart.yLabel} over ${chart.xLabel}`
  return element(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': said },
    `${axesOf(chart, across, up)}${lines.join('')}`,
  )
}

function axesOf({ xLabel, yLabel, xFormat = short }: Chart, across: Axis, up: Axis): string {
  const [bottom, right] = [HEIGHT - BOTTOM, WIDTH - RIGHT]
  const rows = up.ticks.map((tick) => {
    const y = rounded(up.at(tick))
    const grid = element('line', { class: 'grid', x1: LEFT, x2: right, y1: y, y2: y })
    return `${grid}${element('text', { x: LEFT - 6, y: y + 4, 'text-anchor': 'end' }, escaped(short(tick)))}`
  })
  const columns = across.ticks.map((tick) => {
    const x = rounded(across.at(tick))
    const mark = element('line', { class: 'axis', x1: x, x2: x, y1: bottom, y2: bottom + 4 })
    return `${mark}${element('text', { x, y: bottom + 18, 'text-anchor': 'middle' }, escaped(xFormat(tick)))}`
  })
  const base = element('line', { class: 'axis', x1: LEFT, x2: right, y1: bottom, y2: bottom })
  const middle = (bottom + TOP) / 2
  const names = [
    element(
      'text',
      { class: 'name', x: (LEFT + right) / 2, y: HEIGHT - 6, 'text-anchor': 'middle' },
      escaped(xLabel),
    ),
    element(
      'text',
      {
        class: 'name',
        x: 0,
        y: 0,
        'text-anchor': 'middle',
        transform: `translate(14 ${middle}) rotate(-90)`,
      },
      escaped(yLabel),
    ),
  ]
  return [...rows, ...columns, base, ...names].join('')
}

/** A line with a dot at each figure, which says itself when it is pointed at. */
function lineOf(
  { name, color, isDashed = false, points }: Series,
  chart: Chart,
  across: Axis,
  up: Axis,
): string {
  const { xFormat = short, yScale } = chart
  const drawn = points.filter(({ y }) => yScale === 'linear' || y > 0).sort((a, b) => a.x - b.x)
  const path = line<Point>(
    ({ x }) => rounded(across.at(x)),
    ({ y }) => rounded(up.at(y)),
  )(drawn)
  const dots = drawn.map(({ x, y }) => {
    const said = element('title', {}, escaped(`${name}, ${xFormat(x)}: ${exact(y)}`))
    return element('circle', { cx: rounded(across.at(x)), cy: rounded(up.at(y)), r: RADIUS }, said)
  })
  const stroke = path === null ? '' : element('path', { d: path })
  return element('g', { class: `s${color}${isDashed ? ' dashed' : ''}` }, `${stroke}${dots.join('')}`)
}

function legendOf({ series }: Chart): string {
  const entries = series.map(({ name, color, isDashed = false }) => {
    const mark = `${element('path', { d: 'M0 6H26' })}${element('circle', { cx: 13, cy: 6, r: RADIUS })}`
    const group = element('g', { class: `s${color}${isDashed ? ' dashed' : ''}` }, mark)
    return element(
      'li',
      {},
      `${element('svg', { viewBox: '0 0 26 12', 'aria-hidden': 'true' }, group)}${escaped(name)}`,
    )
  })
  return element('ul', { class: 'legend' }, entries.join(''))
}

const rounded = (value: number): number => Math.round(value * 10) / 10
