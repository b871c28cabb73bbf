// The page: one file without scripts and without anything from elsewhere.

import { type Chart, drawChart } from './chart.ts'
import type { MachineInfo, MissingRow, Results } from './results.ts'
import { type Section, sectionsOf } from './sections.ts'
import { STYLE } from './style.ts'
import { element, escaped, exact, short } from './svg.ts'

export function drawPage(results: Results): string {
  const title = 'Quorate, measured'
  const sections = sectionsOf(results).map(drawSection)
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<header><h1>${title}</h1>${element('p', {}, escaped(machineLine(results.machine)))}</header>`,
    `<main>${missingOf(results.missing)}${sections.join('')}</main>`,
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

function machineLine({ cpu, cores, node, at, version, natsServer }: MachineInfo): string {
  const date = at.slice(0, 16).replace('T', ' ')
  const parts = [
    `${cores} ${cores === 1 ? 'core' : 'cores'} (${cpu}), shared by members, bus and load`,
    `Node ${node}`,
    ...(version === undefined ? [] : [`Quorate ${version}`]),
    ...(natsServer === undefined ? [] : [`nats-server ${natsServer}`]),
    `measured ${date} UTC`,
  ]
  return `${parts.join(' · ')}.`
}

function missingOf(missing: readonly MissingRow[]): string {
  const lines = missing.map(({ what, why }) => element('li', {}, escaped(`Not measured: ${what}. ${why}`)))
  return lines.length === 0 ? '' : element('ul', { class: 'missing' }, lines.join(''))
}

function drawSection({ title, text, charts }: Section): string {
  const plots = element('div', { class: 'plots' }, charts.map(drawChart).join(''))
  const tables = charts.map(tableOf).join('')
  const figures = element('details', {}, `${element('summary', {}, 'The figures')}${tables}`)
  return element(
    'section',
    {},
    `${element('h2', {}, escaped(title))}${element('p', {}, escaped(text))}${plots}${figures}`,
  )
}

/** What was drawn, in numbers. */
function tableOf({ title, yLabel, xLabel, xFormat = short, series }: Chart): string {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b)
  const head = ['', ...xs.map(xFormat)].map((cell) => element('th', {}, escaped(cell)))
  const rows = series.map(({ name, points }) => {
    const cells = xs.map((x) => {
      const point = points.find((each) => each.x === x)
      return element('td', {}, point === undefined ? '–' : exact(point.y))
    })
    return element('tr', {}, `${element('th', {}, escaped(name))}${cells.join('')}`)
  })
  const caption = element('caption', {}, escaped(`${title} (${yLabel}) over ${xLabel}`))
  const table = `${caption}${element('tr', {}, head.join(''))}${rows.join('')}`
  return element('div', { class: 'wide' }, element('table', {}, table))
}
