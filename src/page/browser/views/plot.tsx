// Lines over time, drawn by uPlot.

import { useEffect, useRef } from 'preact/hooks'
import UPlot, { type AlignedData, type Options } from 'uplot'
import type { Row } from '../logic/series.ts'

export interface Line {
  readonly name: string
  readonly of: (row: Row) => number | null
}

export interface PlotProps {
  readonly title: string
  readonly rows: readonly Row[]
  readonly lines: readonly Line[]
}

const HEIGHT = 180
const STROKES = [
  '#2f9e63',
  '#3b82f6',
  '#d97706',
  '#a855f7',
  '#e11d48',
  '#0891b2',
  '#84a016',
  '#db2777',
  '#64748b',
]

export function Plot({ title, rows, lines }: PlotProps) {
  const ref = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | null>(null)
  const names = lines.map(({ name }) => name).join(' ')
  useEffect(() => {
    const { current } = ref
    if (current === null) return
    const made = new UPlot(optionsOf(lines, current), dataOf(rows, lines), current)
    plot.current = made
    const sized = new ResizeObserver(() => made.setSize({ width: widthOf(current), height: HEIGHT }))
    sized.observe(current)
    return () => {
      sized.disconnect()
      made.destroy()
    }
  }, [names])
  useEffect(() => plot.current?.setData(dataOf(rows, lines)), [rows.length, rows.at(-1)?.atMs])
  const newest = rows.at(-1)
  const words =
    newest === undefined ? '' : lines.map(({ name, of }) => `${name} ${shown(of(newest))}`).join(', ')
  return (
    <figure class="plot">
      <figcaption>
        {title} <span class="now">{words}</span>
      </figcaption>
      <div ref={ref} role="img" aria-label={`${title}: ${words}`} />
    </figure>
  )
}

function shown(value: number | null): string {
  return value === null ? '–' : value >= 100 ? String(Math.round(value)) : value.toFixed(1)
}

function dataOf(rows: readonly Row[], lines: readonly Line[]): AlignedData {
  return [rows.map(({ atMs }) => atMs / 1000), ...lines.map(({ of }) => rows.map(of))]
}

function widthOf(element: HTMLElement): number {
  return Math.max(200, element.clientWidth)
}

function optionsOf(lines: readonly Line[], element: HTMLElement): Options {
  // Asked for whenever it is drawn: dark may have become light.
  const axis = {
    stroke: (): string => getComputedStyle(element).color,
    grid: { stroke: (): string => getComputedStyle(element).getPropertyValue('--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    ...{ width: widthOf(element), height: HEIGHT },
    cursor: { y: false },
    legend: { show: lines.length > 1 },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [axis, { ...axis, size: 52 }],
    series: [
      {},
      ...lines.map(({ name }, at) => ({
        label: name,
        stroke: STROKES[at % STROKES.length] ?? '#888',
        width: 1.5,
        points: { show: false },
      })),
    ],
  }
}
