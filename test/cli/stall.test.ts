// A member that stands still or is cut off, as the stage of the demo makes one: what waits, what comes later, what is lost.

import { expect, test, vi } from 'vitest'
import { Stall } from '../../src/cli/demo/stage/stall.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'

function stage() {
  const bus = new MemoryBus()
  const stall = new Stall()
  const line = stall.on(bus.connect('n1'))
  const other = bus.connect('n2')
  const heard: string[] = []
  line.subscribe('to.n1', ({ payload }) => heard.push(`n1 ${payload[0]}`))
  other.subscribe('to.n2', ({ payload }) => heard.push(`n2 ${payload[0]}`))
  const toOther = (word: number) => line.publish('to.n2', Uint8Array.of(word))
  const toIt = (word: number) => other.publish('to.n1', Uint8Array.of(word))
  /** A message that nothing is done to has come by then. */
  const settled = () => new Promise((resolve) => setTimeout(resolve, 20))
  return { stall, heard, toOther, toIt, settled }
}

test('a member that stands still hears, says and is woken later, in order', async () => {
  const { stall, heard, toOther, toIt, settled } = stage()
  stall.pause()
  stall.clock.setTimeout(() => heard.push('timer'), 1)
  expect(toOther(1)).toBe(true)
  toIt(2)
  toIt(3)
  await settled()
  expect(heard).toEqual([])
  stall.resume()
  await vi.waitFor(() => expect([...heard].sort()).toEqual(['n1 2', 'n1 3', 'n2 1', 'timer']))
  expect(heard.indexOf('n1 2')).toBeLessThan(heard.indexOf('n1 3'))
  toIt(4)
  await vi.waitFor(() => expect(heard).toContain('n1 4'))
})

test('what one that is cut off says and is sent is lost; its timers go on', async () => {
  const { stall, heard, toOther, toIt, settled } = stage()
  stall.cut()
  expect(toOther(1)).toBe(true)
  toIt(2)
  stall.clock.setTimeout(() => heard.push('timer'), 1)
  await vi.waitFor(() => expect(heard).toEqual(['timer']))
  stall.heal()
  await settled()
  expect(heard).toEqual(['timer'])
  toIt(3)
  toOther(4)
  await vi.waitFor(() => expect(heard).toEqual(expect.arrayContaining(['n1 3', 'n2 4'])))
})

test('what waited for one that is killed is lost', async () => {
  const { stall, heard, toIt, settled } = stage()
  stall.pause()
  toIt(1)
  await settled()
  stall.drop()
  stall.resume()
  await settled()
  expect([heard, stall.isPaused]).toEqual([[], false])
})
