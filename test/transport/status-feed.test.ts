import { expect, test } from 'vitest'
import { StatusFeed } from '../../src/transport/status-feed.ts'
import type { TransportStatus } from '../../src/transport/transport.ts'

const status = (detail: string): TransportStatus => ({ connected: true, maxPayloadBytes: 1, detail })

test('a listener hears of every change until it leaves, twice if it listens twice, and nobody else leaves with it', () => {
  const thrown: unknown[] = []
  const feed = new StatusFeed(status('first'), (error) => thrown.push(error))
  const heard: string[] = []
  const listener = ({ detail }: TransportStatus): void => void heard.push(detail)
  const leaves = [feed.listen(listener), feed.listen(listener), feed.listen(listener)]
  feed.set(status('a'))
  leaves[0]?.()
  leaves[0]?.()
  feed.set(status('b'))
  leaves[1]?.()
  leaves[2]?.()
  feed.set(status('c'))
  expect(heard).toEqual(['a', 'a', 'a', 'b', 'b'])
  expect([feed.current.detail, thrown]).toEqual(['c', []])
})

test('a listener that leaves while all are told is told once more at most, and the others are', () => {
  const feed = new StatusFeed(status('first'), () => expect.unreachable())
  const heard: string[] = []
  const leave = feed.listen(() => {
    heard.push('once')
    leave()
  })
  feed.listen(({ detail }) => heard.push(detail))
  feed.set(status('a'))
  feed.set(status('b'))
  expect(heard).toEqual(['once', 'a', 'b'])
})
