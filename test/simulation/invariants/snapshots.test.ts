import { describe, it } from 'vitest'
import { encodeConfiguration } from '../../../src/log/configuration-codec.ts'
import { type Configuration, EntryType, type SnapshotMeta } from '../../../src/rules/types.ts'
import { breaks, entry, type Scene, settled } from '../support/scene.ts'

const ABC: Configuration = { peers: ['A', 'B', 'C'], oldPeers: [] }
const UP_TO_2: SnapshotMeta = { lastIncludedIndex: 2, lastIncludedTerm: 1, ...ABC }

/** Everybody has committed and applied entries 1 to 3 of term 1; B has a durable snapshot up to `index`. */
function withSnapshot(index: number, options: Parameters<typeof settled>[0] = {}): Scene {
  const scene = settled(options)
  scene.see('B', { appliedIndex: 3 })
  scene.member('B').durableSnapshot = { index, term: 1 }
  return scene
}

describe('INV-20: a snapshot', () => {
  it('of what is committed, with its term, state and configuration, is fine', () => {
    const scene = withSnapshot(2, { stateHashAt: (index) => `state ${index}` })
    scene.checker.snapshotPublished('B', UP_TO_2, 'state 2')
    scene.see('B', { snapshot: { index: 2, term: 1 } })
    scene.checker.loaded('B', UP_TO_2, 'state 2')
  })

  it('of another state, saved or loaded', () => {
    const { checker } = withSnapshot(2, { stateHashAt: (index) => `state ${index}` })
    breaks('INV-20', () => checker.snapshotPublished('B', UP_TO_2, 'state 3'), 'whose state is state 3')
    breaks('INV-20', () => checker.loaded('B', UP_TO_2, 'state 1'), 'whose state is state 1')
  })

  it('of what nobody has committed, or of another term', () => {
    const { checker } = withSnapshot(2)
    const beyond = { ...UP_TO_2, lastIncludedIndex: 4 }
    breaks('INV-20', () => checker.snapshotPublished('B', beyond, null), 'only 3 has been committed')
    const other = { ...UP_TO_2, lastIncludedTerm: 2 }
    breaks('INV-20', () => checker.snapshotPublished('C', other, null), 'but term 1 is committed there')
  })

  it('with a configuration that is not the committed one', () => {
    const decodeConfiguration = (): Configuration => ABC
    const scene = withSnapshot(2, { decodeConfiguration })
    const data = encodeConfiguration(ABC)
    scene.append('A', { ...entry(4, 1), type: EntryType.CONFIGURATION, data }).sync('A')
    scene.replicate('B', 'A', [{ ...entry(4, 1), type: EntryType.CONFIGURATION, data }], 3).sync('B')
    scene.see('A', { commitIndex: 4 })
    const meta = { ...UP_TO_2, lastIncludedIndex: 4, peers: ['A', 'B'] }
    breaks('INV-20', () => scene.checker.snapshotPublished('B', meta, null), 'has configuration {A,B}')
  })

  it('with other files on record than were committed', () => {
    const record: Configuration = { ...ABC, identities: { A: 1, B: 2, C: 3 } }
    const scene = withSnapshot(2, { decodeConfiguration: () => record })
    const data = encodeConfiguration(record)
    scene.append('A', { ...entry(4, 1), type: EntryType.CONFIGURATION, data }).sync('A')
    scene.replicate('B', 'A', [{ ...entry(4, 1), type: EntryType.CONFIGURATION, data }], 3).sync('B')
    scene.see('A', { commitIndex: 4 })
    const meta = { ...UP_TO_2, ...record, lastIncludedIndex: 4 }
    scene.checker.snapshotPublished('B', meta, null)
    const other = { ...meta, identities: { A: 1, B: 2, C: 9 } }
    breaks('INV-20', () => scene.checker.snapshotPublished('B', other, null), 'names other files')
  })

  it('goes back, or is relied on before it is durable', () => {
    const scene = withSnapshot(2)
    scene.checker.snapshotPublished('B', UP_TO_2, null)
    const before = { ...UP_TO_2, lastIncludedIndex: 1 }
    breaks('INV-20', () => scene.checker.snapshotPublished('B', before, null), 'went back from 2 to 1')
    breaks('INV-20', () => scene.see('B', { snapshot: { index: 3, term: 1 } }), 'and 2 is durable')
  })

  it('is told as installed without being there', () => {
    const scene = withSnapshot(2)
    const answer = { kind: 'installSnapshotAck', from: 'B', to: 'A', term: 1, success: true } as const
    scene.send({ ...answer, installedIndex: 3 })
    breaks('INV-20', () => scene.send({ ...answer, installedIndex: 5 }), 'up to 3 is durable')
  })
})

describe('INV-21: the front of a log', () => {
  const gone = (firstKept: number, termBeforeFirst: number) =>
    ({ kind: 'truncatePrefix', firstKept, termBeforeFirst }) as const

  it('goes when a durable snapshot stands for it', () => {
    const scene = withSnapshot(2)
    scene.checker.durableWrite('B', gone(3, 1), scene.member('B').durable)
  })

  it('goes before the snapshot is durable', () => {
    const scene = withSnapshot(2)
    const { durable } = scene.member('B')
    breaks('INV-21', () => scene.checker.durableWrite('B', gone(4, 1), durable), 'durable snapshot ends at 2')
  })

  it('goes, and its last term is told wrongly', () => {
    const scene = withSnapshot(2)
    const { durable } = scene.member('B')
    breaks('INV-21', () => scene.checker.durableWrite('B', gone(3, 7), durable), 'of term 7, but term 1')
  })
})

it('INV-7: a snapshot of what has been applied already is loaded', () => {
  const scene = withSnapshot(2)
  scene.checker.loaded('B', { ...UP_TO_2, lastIncludedIndex: 3 }, null)
  scene.see('B')
  scene.checker.loaded('B', UP_TO_2, null)
  breaks('INV-7', () => scene.see('B'), 'loaded a snapshot up to 2, having applied up to 3')
})

it('INV-18: a snapshot reported as taken that is not on disk', () => {
  const { checker } = withSnapshot(2)
  for (const id of [1, 2]) {
    checker.invoked(id, { kind: 'snapshot', node: 'B' })
    checker.returned(id)
  }
  checker.completed(1, { outcome: 'ok', index: 2 })
  breaks('INV-18', () => checker.completed(2, { outcome: 'ok', index: 3 }), 'taken up to 3, but 2 is durable')
})

describe('INV-24: behind a snapshot', () => {
  const retention = { marginEntries: 0, maxRetainedBytes: 100 }
  const taken = (sending: { snapshotIndex: number; bytesSince: number }[], from: number): Scene => {
    const scene = withSnapshot(3, { retention })
    scene.see('B', { snapshot: { index: 2, term: 1 } })
    scene.see('B', { sending })
    const member = scene.member('B')
    member.log = member.log.filter(({ index }) => index >= from)
    member.firstIndex = from
    return scene
  }
  const next = (scene: Scene): Scene => scene.see('B', { snapshot: { index: 3, term: 1 } })

  it('the log stays since the one before, and no longer', () => {
    next(taken([], 3))
    breaks('INV-24', () => next(taken([], 2)), 'nobody wants what is before 3')
  })

  it('it stays for a follower that is being sent one, until too much has come to it', () => {
    next(taken([{ snapshotIndex: 1, bytesSince: 100 }], 2))
    const late = [{ snapshotIndex: 1, bytesSince: 101 }]
    breaks('INV-24', () => next(taken(late, 2)), 'keeps its log from 2 on')
  })
})
