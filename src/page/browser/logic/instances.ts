// Instances of a replicated machine in words: what moved them, what they wait for, and how long.

import { seconds } from './headline.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How XState calls what it makes itself, as a person would. */
export function eventInWords(event: string): string {
  const [, kind = '', rest = ''] = /^xstate\.(init|after|done\.actor|error\.actor)\.?(.*)$/.exec(event) ?? []
  if (kind === 'init') return 'its creation'
  if (kind === 'done.actor') return `${rest} is done`
  if (kind === 'error.actor') return `${rest} has failed`
  if (kind === '') return event
  const [delay = ''] = rest.split('.')
  return `after ${/^\d+$/.test(delay) ? duration(Number(delay)) : delay}`
}

/** `1.5 s`, `20 min`, `23 h 59 min`, `3 d 4 h` */
export function duration(ms: number): string {
  if (ms < 2 * MINUTE_MS) return seconds(ms)
  if (ms < 2 * HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`
  if (ms < 2 * DAY_MS) return pair(ms, [HOUR_MS, 'h'], [MINUTE_MS, 'min'])
  return pair(ms, [DAY_MS, 'd'], [HOUR_MS, 'h'])
}

function pair(ms: number, [large, name]: [number, string], [small, smallName]: [number, string]): string {
  const rest = Math.floor((ms % large) / small)
  return `${Math.floor(ms / large)} ${name}${rest === 0 ? '' : ` ${rest} ${smallName}`}`
}

/** `paying › waiting + mailed`; nothing for a machine without states. */
export function statesInWords(states: readonly string[]): string {
  return states.map((state) => state.replaceAll('.', ' › ')).join(' + ')
}
