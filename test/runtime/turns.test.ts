// Deferred calls: each once, in order, a turn later, whoever throws and however many they are.

import { describe, expect, it } from 'vitest'
import { deferring } from '../../src/runtime/turns.ts'

/** Turns that are taken by hand. */
function hand() {
  let next: (() => void)[] = []
  const soon = (run: () => void): void => void next.push(run)
  const turn = (): number => {
    const due = next
    next = []
    for (const run of due) run()
    return due.length
  }
  return { soon, turn }
}

describe('deferred calls', () => {
  it('run together in the next turn, in the order in which they came', () => {
    const { soon, turn } = hand()
    const defer = deferring(soon)
    const ran: number[] = []
    for (const each of [1, 2, 3]) defer(() => ran.push(each))
    expect(ran).toEqual([])
    expect(turn()).toBe(1)
    expect(ran).toEqual([1, 2, 3])
    expect(turn()).toBe(0)
  })

  it('that are deferred by one of them have a turn of their own', () => {
    const { soon, turn } = hand()
    const defer = deferring(soon)
    const ran: string[] = []
    defer(() => {
      ran.push('first')
      defer(() => ran.push('later'))
    })
    defer(() => ran.push('second'))
    turn()
    expect(ran).toEqual(['first', 'second'])
    turn()
    expect(ran).toEqual(['first', 'second', 'later'])
  })

  it('let messages in between when they are many, and keep their order', () => {
    const { soon, turn } = hand()
    const defer = deferring(soon)
    const ran: number[] = []
    for (let each = 0; each < 150; each++) defer(() => ran.push(each))
    turn()
    expect(ran).toHaveLength(64)
    defer(() => ran.push(150))
    while (turn() > 0);
    expect(ran).toEqual(Array.from({ length: 151 }, (_, each) => each))
  })

  it('run once each when one of them throws, before those that it has deferred', () => {
    const { soon, turn } = hand()
    const defer = deferring(soon)
    const ran: string[] = []
    defer(() => ran.push('before'))
    defer(() => {
      defer(() => ran.push('deferred by it'))
      throw new Error('mine')
    })
    defer(() => ran.push('after'))
    expect(turn).toThrow('mine')
    while (turn() > 0);
    expect(ran).toEqual(['before', 'after', 'deferred by it'])

    defer(() => {
      throw new Error('mine')
    })
    defer(() => ran.push('alone'))
    expect(turn).toThrow('mine')
    expect(turn()).toBe(1)
    expect(ran.at(-1)).toBe('alone')
  })
})
