// The hash of a state at one index: of nothing less and nothing more, however entries come, and an answer for everybody.

import { describe, expect, it } from 'vitest'
import type { StateHashOutcome } from '../../src/actors/apply/state-probes.ts'
import { EntryType, type LogEntry } from '../../src/rules/types.ts'
import type { StateMachine } from '../../src/state-machine.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { NodeRig, type RigOptions, rig } from '../actors/support/node-rig.ts'
import { Saver } from '../actors/support/saver.ts'
import { configurationEntry } from '../log/support/entries.ts'

const LAST = 200

function log(): LogEntry[] {
  return Array.from({ length: LAST }, (_, at) => ({
    ...{ index: at + 1, term: 1, type: EntryType.DATA },
    data: encodeValue({ put: `${at + 1}` }),
  }))
}

/** Its hash says how many commands it has. */
class Counted implements StateMachine {
  applied = 0
  apply(): null {
    this.applied++
    return null
  }
  stateHash(): string {
    return `after ${this.applied}`
  }
}

/** Of `LAST` entries on its disk, `committed` are applied. */
function follower(committed: number, options: RigOptions = {}): NodeRig {
  const node = new NodeRig({ disk: { entries: log() }, stateMachine: new Counted(), ...options }).boot()
  return commit(node, committed)
}

function commit(node: NodeRig, committedIndex: number): NodeRig {
  node.heartbeat('b', { term: 2, prevLogIndex: LAST, prevLogTerm: 1, committedIndex })
  return node.settle()
}

function ask(node: NodeRig, index: number | null, waitMs = 1000) {
  const asked: { outcome: StateHashOutcome | null; times: number } = { outcome: null, times: 0 }
  node.handle.stateHash({ index, waitMs }, (outcome) => {
    asked.outcome = outcome
    asked.times++
  })
  expect(asked.times, 'never before the call returns').toBe(0)
  return asked
}

const hash = (index: number) => ({ times: 1, outcome: { ok: true, index, hash: `after ${index}` } })
const refusal = (code: string, message: RegExp) => ({
  times: 1,
  outcome: { ok: false, error: { code, message: expect.stringMatching(message) } },
})

describe('the hash of a state', () => {
  it('is of exactly the index that was asked for, though all after it is committed at once', () => {
    const node = follower(10)
    const [second, first, now, other] = [ask(node, 100), ask(node, 50), ask(node, null), ask(node, 100)]
    node.settle()
    expect(now).toMatchObject(hash(10))
    expect(first.outcome).toBeNull()
    commit(node, LAST)
    expect(node.status.appliedIndex).toBe(LAST)
    expect(first).toMatchObject(hash(50))
    expect(second).toMatchObject(hash(100))
    expect(other).toMatchObject(hash(100))
  })

  it('of an index that is past is refused with where the member is; of one that does not come, when time is up', () => {
    const node = follower(10)
    const [past, future] = [ask(node, 9), ask(node, 11, 500)]
    node.settle()
    expect(past).toMatchObject(refusal('CONFLICT', /^Member a of g is at index 10 already, past 9:/))
    node.advance(499)
    expect(future.times).toBe(0)
    node.advance(1)
    expect(future).toMatchObject(
      refusal('TIMEOUT', /^Member a of g has not applied index 11 within 500 ms\.$/),
    )
    commit(node, LAST)
    expect(future.times).toBe(1)
  })

  it('waits for no more than so many at a time', () => {
    const node = follower(10)
    const asked = Array.from({ length: 17 }, () => ask(node, 11))
    node.settle()
    expect(asked.map(({ times }) => times)).toEqual([...new Array<number>(16).fill(0), 1])
    expect(asked.at(-1)).toMatchObject(refusal('BUSY', /16 wait for a hash/))
    commit(node, 11)
    expect(asked[0]).toMatchObject(hash(11))
    const again = ask(node, null)
    node.settle()
    expect(again).toMatchObject(hash(11))
  })

  it('of an index that a snapshot has gone past is refused', async () => {
    class Hashed extends Saver {
      stateHash(): string {
        return 'of whatever is here'
      }
    }
    const stateMachine = new Hashed()
    const node = rig({ stateMachine, tuning: { snapshotIntervalMs: 0 } }).boot()
    const entries = [configurationEntry(1, 2, ['a', 'b', 'c'])]
    node.append('b', { term: 2, entries, committedIndex: 1 })
    await node.flush()
    const asked = ask(node, 40, 60_000)
    node.settle().offer('b', { term: 2, lastIncludedIndex: 50, lastIncludedTerm: 2 })
    await node.publishCopy(50, 2)
    node.copied('finished')
    await node.flush()
    expect(node.status.appliedIndex).toBe(50)
    expect(asked).toMatchObject(refusal('CONFLICT', /^Member a of g is at index 50 already, past 40:/))
  })

  it('of a machine that has none is refused; one that throws or says nonsense costs nobody but the asker', () => {
    const machine = new Counted()
    const without = follower(1, { stateMachine: { apply: () => null } })
    const refused = ask(without, null)
    without.settle()
    expect(refused).toMatchObject(refusal('UNSUPPORTED', /has no stateHash: give it one/))
    const node = follower(1, { stateMachine: machine })
    machine.stateHash = () => {
      throw new Error('no paper')
    }
    const thrown = ask(node, null)
    node.settle()
    expect(thrown).toMatchObject(refusal('STATE_MACHINE', /could not be taken: no paper/))
    machine.stateHash = () => 'x'.repeat(257)
    const long = ask(node, null)
    node.settle()
    expect(long).toMatchObject(refusal('STATE_MACHINE', /no text of at most 256 characters/))
    machine.stateHash = () => 'fine'
    expect(commit(node, LAST).status).toMatchObject({ role: 'follower', appliedIndex: LAST })
  })

  it('is answered once when the node is closed, or gone', () => {
    const node = follower(10)
    const closed = ask(node, 11)
    node.shutdown().settle()
    expect(closed).toMatchObject(refusal('SHUTDOWN', /closed/))
    const late = ask(node, 11)
    node.settle()
    expect(late).toMatchObject(refusal('SHUTDOWN', /closed/))
    const gone = follower(10)
    const asked = ask(gone, 11)
    gone.settle().handle.destroy()
    gone.handle.abandon()
    expect(asked).toMatchObject(refusal('SHUTDOWN', /stopped at once/))
  })
})
