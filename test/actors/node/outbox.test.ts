// The gate between a node and the bus: durable before said (INV-2, traps T8 and T10).

import { describe, expect, it } from 'vitest'
import { Outbox } from '../../../src/actors/node/outbox.ts'

function box() {
  const said: string[] = []
  const failures: unknown[] = []
  const outbox = new Outbox((thrown) => failures.push(thrown))
  return { outbox, said, failures, say: (word: string) => outbox.post(() => said.push(word)) }
}

describe('the outbox', () => {
  it('lets everything through while nothing is on its way to disk', () => {
    const { outbox, said, say } = box()
    say('a')
    expect(said).toEqual(['a'])
    expect(outbox.isOpen).toBe(true)
  })

  it('holds everything back until the record is durable, and keeps the order', () => {
    const { outbox, said, say } = box()
    const version = outbox.hold()
    say('a')
    say('b')
    expect([said, outbox.isOpen]).toEqual([[], false])
    outbox.release(version)
    expect([said, outbox.isOpen]).toEqual([['a', 'b'], true])
  })

  it('lets out only what was said before the next record was asked for', () => {
    const { outbox, said, say } = box()
    const first = outbox.hold()
    say('in term 2')
    const second = outbox.hold()
    say('in term 3')
    outbox.release(first)
    expect([said, outbox.isOpen]).toEqual([['in term 2'], false])
    outbox.release(second)
    expect(said).toEqual(['in term 2', 'in term 3'])
  })

  it('takes a durable record as word for all before it', () => {
    const { outbox, said, say } = box()
    outbox.hold()
    say('a')
    const second = outbox.hold()
    say('b')
    outbox.release(second)
    expect(said).toEqual(['a', 'b'])
    outbox.release(1)
    expect(outbox.isOpen).toBe(true)
  })

  it('lets nothing overtake what waits, also while it is being emptied', () => {
    const { outbox, said, say } = box()
    const version = outbox.hold()
    outbox.post(() => say('c'))
    say('a')
    say('b')
    outbox.release(version)
    expect(said).toEqual(['a', 'b', 'c'])
  })

  it('goes on with the next message when one throws, and tells of it', () => {
    const { outbox, said, failures, say } = box()
    const defect = new Error('a defect of ours')
    const version = outbox.hold()
    outbox.post(() => {
      throw defect
    })
    say('b')
    outbox.release(version)
    expect([said, failures]).toEqual([['b'], [defect]])
  })

  it('never says what could not be made durable', () => {
    const { outbox, said, say } = box()
    const version = outbox.hold()
    say('a')
    outbox.discard()
    outbox.release(version)
    expect(said).toEqual([])
  })

  it('holds back what is said while it is being emptied, if another record was asked for', () => {
    const { outbox, said, say } = box()
    const version = outbox.hold()
    outbox.post(() => {
      outbox.hold()
      say('later')
    })
    outbox.release(version)
    expect(said).toEqual([])
    outbox.release(version + 1)
    expect(said).toEqual(['later'])
  })
})
