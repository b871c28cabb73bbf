// Commands read back from the log by their index: what braft's test asserts, from memory and from disk, and how a read ends
// when the node does.

import { describe, expect, it } from 'vitest'
import type { LogReadOutcome } from '../../src/actors/node/intake.ts'
import { EntryType, type LogEntry } from '../../src/rules/types.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { NodeRig } from '../actors/support/node-rig.ts'
import { rejection, until, World } from './support/world.ts'

/** Nothing that is durable stays in memory, or all of it. */
const CACHES = { 'from disk': { maxCachedLogBytes: 0 }, 'from memory': {} }

describe.each(Object.entries(CACHES))('an entry read %s', (_, tuning) => {
  it('is the first command from there on, until it is compacted (ND-35)', async () => {
    await using world = new World('a')
    const { node, machine } = await world.member('a', tuning)
    await until(() => node.status().state === 'active.leader.serving', 'a leader')
    for (let i = 0; i < 10; i++) await node.apply({ word: i, bytes: new Uint8Array([i]) })
    expect(node.status()).toMatchObject({ lastIndex: 11, appliedIndex: 11 })

    expect(await node.readCommittedUserLog(1)).toEqual({ index: 2, term: 2, command: machine.words[0] })
    expect(await node.readCommittedUserLog(5)).toMatchObject({ index: 5, command: machine.words[3] })
    expect(await node.readCommittedUserLog(11)).toMatchObject({ index: 11, command: machine.words[9] })
    expect(await rejection(node.readCommittedUserLog(12))).toMatchObject({
      code: 'NO_MORE_LOG',
      outcome: 'not-applied',
      message: 'Member a of words has applied its log up to 11, and no command from index 12 on.',
    })
    for (const wrong of [0, -1, 1.5, Number.NaN])
      expect(await rejection(node.readCommittedUserLog(wrong))).toMatchObject({ code: 'INVALID' })
  })

  it('is not there while nothing but configurations has been applied from there on', async () => {
    await using world = new World('a')
    const { node } = await world.member('a', tuning)
    await until(() => node.status().appliedIndex === 1, 'a leader')
    expect(await rejection(node.readCommittedUserLog(1))).toMatchObject({ code: 'NO_MORE_LOG' })
  })

  it("is the reader's own: another reader sees what was written", async () => {
    await using world = new World('a')
    const { node } = await world.member('a', tuning)
    await until(() => node.status().state === 'active.leader.serving', 'a leader')
    await node.apply(new Uint8Array([1, 2, 3]))
    const { command } = await node.readCommittedUserLog<Uint8Array>(2)
    command.fill(9)
    expect(await node.readCommittedUserLog(2)).toMatchObject({ command: new Uint8Array([1, 2, 3]) })
  })
})

const command = (index: number): LogEntry => ({
  ...{ index, term: 1, type: EntryType.DATA },
  data: encodeValue({ put: `${index}` }),
})
const noOp = (index: number): LogEntry => ({
  ...{ index, term: 1, type: EntryType.NO_OP },
  data: new Uint8Array(),
})

/** A follower with this log on disk and nothing of it in memory, of which `committed` is applied. */
function follower(entries: readonly LogEntry[], committed: number): NodeRig {
  const node = new NodeRig({ disk: { entries: [...entries] } }).boot()
  const last = entries.at(-1)?.index ?? 0
  node.heartbeat('b', { term: 2, prevLogIndex: last, prevLogTerm: 1, committedIndex: committed })
  return node.settle()
}

function read(node: NodeRig, index: number): { outcome: LogReadOutcome | null; times: number } {
  const asked: { outcome: LogReadOutcome | null; times: number } = { outcome: null, times: 0 }
  node.handle.readLog(index, (outcome) => {
    asked.outcome = outcome
    asked.times++
  })
  expect(asked.times, 'never before the call returns').toBe(0)
  return asked
}

describe('reading the log', () => {
  it("walks over what is not a user's in many turns, and stops at what is applied", () => {
    const node = follower([...Array.from({ length: 200 }, (_, i) => noOp(i + 1)), command(201)], 200)
    expect(node.status.appliedIndex).toBe(200)
    const early = read(node, 1)
    node.settle()
    expect(early.outcome).toMatchObject({ ok: false, error: { code: 'NO_MORE_LOG' } })
    node.heartbeat('b', { term: 2, prevLogIndex: 201, prevLogTerm: 1, committedIndex: 201 })
    node.settle()
    const late = read(node, 1)
    node.settle()
    expect(late).toMatchObject({ outcome: { ok: true, entry: { index: 201 } }, times: 1 })
  })

  it('asks the disk for little at a time', () => {
    const node = follower(
      Array.from({ length: 200 }, (_, i) => command(i + 1)),
      200,
    )
    const before = node.storage.entriesFetched
    const asked = read(node, 1)
    node.settle()
    expect(asked.outcome).toMatchObject({ ok: true, entry: { index: 1 } })
    expect(node.storage.entriesFetched - before).toBe(64)
  })

  it('says where the log begins when the entry goes while it is looked for', () => {
    const node = follower(
      Array.from({ length: 5 }, (_, i) => command(i + 1)),
      5,
    )
    node.storage.hold('fetch')
    const asked = read(node, 2)
    node.settle()
    const { core } = node.handle
    core.log.truncatePrefix(4)
    core.store?.truncatePrefix(4, 1, () => {})
    node.storage.release()
    node.settle()
    expect(asked).toMatchObject({
      times: 1,
      outcome: { ok: false, error: { code: 'LOG_DELETED', firstIndex: 4 } },
    })
  })

  it('says that the disk has failed, and goes on when it is mended', () => {
    const node = follower([command(1)], 1)
    node.storage.fail('fetch', 'bad sector', 'IO')
    const failed = read(node, 1)
    node.settle()
    expect(failed).toMatchObject({ times: 1, outcome: { ok: false, error: { code: 'STORAGE' } } })
    node.storage.mend('fetch')
    const found = read(node, 1)
    node.settle()
    expect(found).toMatchObject({ times: 1, outcome: { ok: true, entry: { index: 1 } } })
  })

  it('is answered once though its node ends meanwhile', () => {
    const node = follower([command(1)], 1)
    node.storage.hold('fetch')
    const asked = read(node, 1)
    node.settle()
    node.handle.shutdown(() => {})
    node.settle()
    node.storage.release()
    node.settle()
    expect(asked.times).toBe(1)
  })

  it('is answered once when its node is gone at once', () => {
    const node = follower([command(1)], 1)
    node.storage.hold('fetch')
    const asked = read(node, 1)
    node.settle()
    node.handle.destroy()
    node.handle.abandon()
    node.storage.release()
    node.settle()
    expect(asked).toMatchObject({ times: 1, outcome: { ok: false, error: { code: 'SHUTDOWN' } } })
  })

  it('is bounded by maxPendingReads', () => {
    const node = new NodeRig({ disk: { entries: [command(1)] }, tuning: { maxPendingReads: 1 } }).boot()
    node.heartbeat('b', { term: 2, prevLogIndex: 1, prevLogTerm: 1, committedIndex: 1 })
    node.settle()
    const first = read(node, 1)
    const second = read(node, 1)
    node.settle()
    expect(first.outcome).toMatchObject({ ok: true })
    expect(second.outcome).toMatchObject({ ok: false, error: { code: 'BUSY', retryable: true } })
    const third = read(node, 1)
    node.settle()
    expect(third.outcome).toMatchObject({ ok: true })
  })
})
