// Faults in words, for whoever watches a recorded run: what goes wrong now, in the terms of someone who runs a group.

import type { Fault } from '../campaign/faults.ts'

type NodeFault = Extract<Fault, { readonly node: string }>

/** One sentence: what begins. */
export function faultWords(fault: Fault): string {
  switch (fault.kind) {
    case 'partition':
      return `The network falls apart: ${fault.sides.map((side) => listOf(side)).join(' | ')}.`
    case 'block':
      return `Nothing passes from ${fault.links.map(([from, to]) => `${from} to ${to}`).join(', ')}.`
    case 'link':
      return `${linkName(fault.from, fault.to)}: ${settingsOf(fault.settings)}.`
    case 'clog':
      return `What ${fault.from} says to ${fault.to} waits on its way.`
    case 'crashAll':
      return fault.power === 'lost' ? 'All machines lose their power at once.' : 'All members die at once.'
    default:
      return `${fault.node} ${nodeWords(fault)}.`
  }
}

/** One sentence: what is over. */
export function endWords(fault: Fault): string {
  const isAbout = 'node' in fault ? ` of ${fault.node}` : ''
  return `Over: ${NAMES[fault.kind]}${isAbout}.`
}

const NAMES: Readonly<Record<Fault['kind'], string>> = {
  partition: 'the partition',
  block: 'the blocked links',
  flap: 'the loose connection',
  link: 'the bad links',
  clog: 'the clogged link',
  disconnect: 'the lost connection',
  crash: 'the crash',
  crashAll: 'the crash of all',
  pause: 'the pause',
  clockRate: 'the wrong pace of the clock',
  wallJump: 'the wrong time of the day',
  timerLag: 'the late timers',
  slowDisk: 'the slow disk',
  stallDisk: 'the stalled disk',
  failDisk: 'the failing disk',
  corrupt: 'the repair after damage',
  wipe: 'the repair after the loss of all files',
  oldImage: 'the return to an old image',
  lie: 'the lies of the disk',
}

function nodeWords(fault: NodeFault): string {
  switch (fault.kind) {
    case 'flap':
      return `has a loose connection: ${Math.round(fault.upMs)} ms there, ${Math.round(fault.downMs)} ms gone`
    case 'disconnect':
      return `loses its connection to the bus, and notices after ${Math.round(fault.noticedAfterMs)} ms`
    case 'crash': {
      const how = fault.power === 'lost' ? 'loses its power' : 'dies'
      return fault.at === undefined ? how : `${how} when it comes by '${fault.at.point}' (${fault.at.nth}×)`
    }
    case 'pause':
      return 'stands still'
    case 'clockRate':
      return `has a clock that runs at ${fault.rate} times the true pace`
    case 'wallJump':
      return `has a time of the day that jumps by ${Math.round(fault.byMs)} ms`
    case 'timerLag':
      return 'gets its timers late'
    case 'slowDisk':
      return `has a disk that is ${fault.factor} times slower`
    case 'stallDisk':
      return 'has a disk that does nothing'
    case 'failDisk':
      return `has a disk whose ${fault.store} fails ${fault.times} (${fault.point})`
    case 'corrupt':
      return `dies, and its ${fault.store} is damaged (${fault.place}, ${fault.damage})`
    case 'wipe':
      return 'dies, and all its files are lost'
    case 'oldImage':
      return 'will go back to what is on its disk now'
    case 'lie':
      return 'has a disk that says it is done before it is'
  }
}

function linkName(from: string, to: string): string {
  if (from === '*' && to === '*') return 'All links'
  if (from === '*') return `All that is sent to ${to}`
  return to === '*' ? `All that ${from} sends` : `What ${from} sends to ${to}`
}

function settingsOf(settings: Extract<Fault, { readonly kind: 'link' }>['settings']): string {
  const { dropRate = 0, duplicateRate = 0, reorderRate = 0, damageRate = 0 } = settings
  const { latency, bandwidthBytesPerMs = null, filter = [] } = settings
  const share = (rate: number, word: string): string[] =>
    rate === 0 ? [] : [`${Number((rate * 100).toPrecision(2))} % ${word}`]
  const words = [
    ...share(dropRate, 'lost'),
    ...share(duplicateRate, 'twice'),
    ...share(reorderRate, 'out of order'),
    ...share(damageRate, 'damaged'),
    ...(latency === undefined ? [] : ['another delay']),
    ...(bandwidthBytesPerMs === null ? [] : [`${bandwidthBytesPerMs} bytes/ms at most`]),
    ...(filter.length === 0 ? [] : [`no ${listOf(filter)}`]),
  ]
  return words.length === 0 ? 'as at the start' : words.join(', ')
}

const listOf = (names: readonly string[]): string => names.join(', ')
