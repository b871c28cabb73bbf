// The doctor's look at clocks: the times of the day of all members beside each other, and whether that of this machine
// was set while the doctor looked.

import type { MemberClock } from '../../client.ts'
import { systemClock } from '../../runtime/clock.ts'
import { formatCount } from '../output.ts'
import { type Finding, fine, warning } from './finding.ts'

/** No rule of the consensus looks at the time of the day; logs, and the ages of snapshots, do. */
const MOST_APART_MS = 1000
/** Clocks are slewed slower than this, and set by more. */
const LARGEST_STEP_MS = 100

export function checkClocks(clocks: readonly MemberClock[]): Finding {
  const check = 'clocks'
  if (clocks.length === 0) return fine(check, 'No member tells the time: they are of an older version.')
  const rightMs = medianOf([0, ...clocks.map(({ aheadMs }) => aheadMs)])
  const off = [...clocks, { id: 'this machine', aheadMs: 0, accuracyMs: 0 }].filter(
    ({ aheadMs, accuracyMs }) => Math.abs(aheadMs - rightMs) - accuracyMs > MOST_APART_MS,
  )
  if (off.length === 0) {
    const farthest = Math.max(...clocks.map(({ accuracyMs }) => accuracyMs), 1)
    const bound = formatCount(MOST_APART_MS + farthest)
    return fine(check, `All show the same time of the day, within ${bound} ms.`)
  }
  const each = off.map(({ id, aheadMs }) => {
    const apartMs = aheadMs - rightMs
    return `${id} is ${formatCount(Math.abs(apartMs))} ms ${apartMs > 0 ? 'ahead' : 'behind'}`
  })
  return warning(
    check,
    `${each.join(', ')}: let NTP or chrony set it. Elections do not mind; the times in logs and of snapshots are wrong.`,
  )
}

/** With the lower one of two in the middle: of two clocks one is taken to be right. */
function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0
}

/** Looks at both clocks of this machine now. What it returns looks again. */
export function watchOwnClock(): () => Finding {
  const apartMs = (): number => systemClock.wallMs() - systemClock.nowMs()
  const beforeMs = apartMs()
  return () => {
    const check = 'own clock'
    const steppedMs = apartMs() - beforeMs
    if (Math.abs(steppedMs) <= LARGEST_STEP_MS) return fine(check, 'It ran evenly while this was looked at.')
    const how = `${formatCount(Math.abs(steppedMs))} ms ${steppedMs > 0 ? 'ahead' : 'back'}`
    return warning(
      check,
      `The time of the day was set ${how} while this was looked at: let NTP or chrony slew it, and see that only one of them does.`,
    )
  }
}
