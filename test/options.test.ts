import { describe, expect, test } from 'vitest'
import { openHost } from '../src/host/open-host.ts'
import { parseTuning } from '../src/options.ts'
import { systemClock } from '../src/runtime/clock.ts'
import { MemoryStorage } from '../src/storage/memory/memory-storage.ts'
import { MemoryBus } from '../src/transport/memory/memory-bus.ts'

const open = (id: string) =>
  openHost({
    id,
    storage: new MemoryStorage({ clock: systemClock }),
    transport: new MemoryBus().connect('x'),
  })
const stateMachine = { apply: () => null }

describe.each(['leader', 'events', 'members'])('the word "%s", which has a meaning in subjects', (word) => {
  const refusal = { code: 'INVALID', message: expect.stringMatching(`"${word}": must not be leader, events`) }

  test('is no member', async () => {
    await expect(open(word)).rejects.toMatchObject(refusal)
    const host = await open('n1')
    const started = host.startNode({ group: 'g', peers: ['n1', word], stateMachine })
    await expect(started).rejects.toMatchObject(refusal)
    await host.close()
  })

  test('may be a group', async () => {
    const host = await open('n1')
    const node = await host.startNode({ group: word, peers: ['n1'], stateMachine })
    expect(node.group).toBe(word)
    await host.close()
  })
})

describe('options', () => {
  test('that are left out have their defaults', () => {
    expect(parseTuning({})).toMatchObject({ electionTimeoutMs: 1000, maxEntryBytes: 524_288 })
  })

  test.each([
    [{ electionTimeoutMs: 5 }, /electionTimeoutMs: .*10/],
    [{ maxEntriesPerFrame: 16_385 }, /maxEntriesPerFrame: .*16384/],
    [{ maxFrameBytes: 0 }, /maxFrameBytes/],
    [{ maxPendingReads: Number.NaN }, /maxPendingReads/],
  ])('that cannot work are refused: %j', (input, message) => {
    expect(() => parseTuning(input)).toThrow(message)
  })

  test('nobody knows are refused by name', () => {
    const misspelled = { electionTimeoutMS: 1000 }
    expect(() => parseTuning({ electionTimeoutMs: 1000, ...misspelled })).toThrow(/electionTimeoutMS/)
  })
})
