// Copying another member's snapshot: what is fetched, what is not, what is tried again, and what is kept (braft
// LocalSnapshotCopier; traps T61 to T63, T66, T67; scenarios SN-02, SN-03, SN-05, SN-07).

import { describe, expect, it } from 'vitest'
import { SNAPSHOT_CHUNK_BYTES } from '../../../src/storage/snapshot-store.ts'
import type { RpcFailure } from '../../../src/transport/rpc/peer-rpc.ts'
import { CopierRig, content, digestOf, type RigFile } from '../support/copier-rig.ts'

const CHUNK = SNAPSHOT_CHUNK_BYTES
const TIMEOUT: RpcFailure = { code: 'TIMEOUT', message: 'no answer' }
const refused = (remoteCode: RpcFailure['remoteCode']): RpcFailure =>
  remoteCode === undefined ? TIMEOUT : { code: 'REFUSED', remoteCode, message: `refused: ${remoteCode}` }
const file = (name: string, bytes: number, seed = 0): RigFile => ({ name, content: content(bytes, seed) })
const contents = (files: readonly RigFile[]) =>
  Object.fromEntries(files.map((one) => [one.name, digestOf(one.content)]))

/** A rig whose leader has these files in its snapshot at 10, copied. */
function copied(files: readonly RigFile[], prepare: (rig: CopierRig) => void = () => {}): CopierRig {
  const rig = new CopierRig()
  rig.publish(10, files)
  prepare(rig)
  rig.start()
  rig.clock.settle()
  return rig
}

describe('SN-02: a snapshot of another member', () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 3])(
    'of one file of %i bytes is the same here',
    (bytes) => {
      const files = [file('state', bytes)]
      const rig = copied(files)
      expect(rig.reports).toMatchObject([{ type: 'copy.finished', version: 1, record: { bytes } }])
      expect(rig.read()).toEqual(contents(files))
      expect(rig.progress).toEqual({ doneBytes: bytes, totalBytes: bytes })
    },
  )

  it('of many files, with what the user said about them, is the same here', () => {
    const files = Array.from({ length: 3000 }, (_, i) => ({
      ...file(`part-${i}`, i % 7, i),
      userMeta: Uint8Array.of(i % 256),
    }))
    const rig = copied(files)
    expect(rig.reports).toMatchObject([{ type: 'copy.finished' }])
    expect(rig.read()).toEqual(contents(files))
    const said = rig.store.newest?.files.map(({ name, userMeta }) => `${name} ${userMeta?.join()}`)
    expect(said).toEqual(files.map(({ name, userMeta }) => `${name} ${userMeta.join()}`).sort())
  })

  it('without any files is a snapshot too', () => {
    const rig = copied([])
    expect(rig.reports).toMatchObject([{ type: 'copy.finished', record: { bytes: 0 } }])
    expect(rig.asked).toEqual([])
  })

  it('stands for the same position, with the same members, and was taken at the same time', () => {
    const rig = copied([file('f', 9)])
    expect(rig.store.newest).toMatchObject({
      meta: { lastIncludedIndex: 10, lastIncludedTerm: 2, peers: ['a', 'b'], oldPeers: [] },
      takenAtMs: 5,
    })
  })
})

describe('pieces', () => {
  it('are asked for a window at a time, so that memory is bounded and others have their way', () => {
    const rig = copied([file('big', 20 * CHUNK)], (one) => {
      one.held = true
    })
    rig.release()
    rig.clock.settle()
    expect(rig.mostUnderWay).toBe(4)
    expect(rig.asked.slice(1, 5)).toEqual([0, 1, 2, 3].map((i) => `big@${i * CHUNK}+${CHUNK}`))
    expect(rig.reports).toMatchObject([{ type: 'copy.finished' }])
  })

  it('that are smaller than a chunk, because the bus takes no more, are put together', () => {
    const files = [file('big', 2 * CHUNK + 77), file('small', 10)]
    const rig = copied(files, (one) => {
      one.rpc.maxFrameBytes = 50_000
    })
    expect(rig.reports).toMatchObject([{ type: 'copy.finished' }])
    expect(rig.read()).toEqual(contents(files))
    expect(rig.fetchedBytes).toBeLessThan(2 * CHUNK + 1000)
  })

  it('SN-07: come as the throttle of the one that fetches allows', () => {
    const rig = copied([file('big', 4000)], (one) => {
      one.throttle.limits = { bytesPerSecond: 8000, maxInstallations: 1 }
    })
    expect(rig.progress.doneBytes).toBe(0)
    rig.clock.advance(370)
    expect(rig.reports).toEqual([])
    rig.clock.advance(200)
    expect(rig.reports).toMatchObject([{ type: 'copy.finished' }])
  })
})

describe('SN-05: what is here already', () => {
  it('in the newest snapshot, with the same contents, is not fetched', () => {
    const rig = new CopierRig()
    const [same, other] = [file('same', 3 * CHUNK), file('other', CHUNK, 1)]
    rig.save(rig.store, 5, [same, file('other', CHUNK, 2), file('gone', 5)])
    rig.publish(10, [same, other])
    rig.start()
    expect(rig.fetchedBytes).toBe(0)
    rig.clock.settle()
    expect(rig.asked.slice(1)).toEqual([`other@0+${CHUNK}`])
    expect(rig.read()).toEqual(contents([same, other]))
  })

  it('of an attempt that was canceled is not fetched again (trap T67)', () => {
    const files = [file('big', 10 * CHUNK)]
    const rig = new CopierRig()
    rig.publish(10, files)
    const first = rig.start()
    while (rig.progress.doneBytes < 5 * CHUNK) rig.clock.turn()
    first.send({ type: 'cancel' })
    first.send({ type: 'cancel' })
    rig.clock.settle()
    expect([first.getSnapshot().status, rig.reports]).toEqual(['done', []])
    const before = rig.fetchedBytes
    rig.restart()
    rig.start(2)
    rig.clock.settle()
    expect(rig.reports).toMatchObject([{ type: 'copy.finished', version: 2 }])
    expect(rig.fetchedBytes - before).toBeLessThan(5.5 * CHUNK)
    expect(rig.read()).toEqual(contents(files))
  })

  it('of an older snapshot of which half has come, is used for the newer one (trap T62)', () => {
    const rig = new CopierRig()
    const old = [file('a', 4 * CHUNK), file('b', CHUNK, 1)]
    rig.publish(10, old)
    const first = rig.start()
    while (rig.progress.doneBytes < 4 * CHUNK) rig.clock.turn()
    first.send({ type: 'cancel' })
    rig.clock.settle()
    rig.files.release('b')
    const young = [file('a', 4 * CHUNK), file('b', CHUNK, 2)]
    rig.publish(20, young)
    rig.asked = []
    rig.start(2)
    rig.clock.settle()
    expect(rig.asked.slice(1)).toEqual([`b@0+${CHUNK}`])
    expect(rig.read()).toEqual(contents(young))
  })
})

describe('whatever goes wrong at the other side', () => {
  it.each<[string, RpcFailure]>([
    ['silence', TIMEOUT],
    ['nobody listening', { code: 'NO_RESPONDERS', message: 'nobody' }],
    ['a bus that is down', { code: 'BUS_DOWN', message: 'down' }],
    ['a disk that cannot be read (trap T63)', refused('EINTERNAL')],
  ])('%s is borne for a while, and the copy goes on', (_, failure) => {
    const files = [file('big', 6 * CHUNK)]
    const rig = copied(files, (one) => one.faults.push(failure, failure, null, null, failure, failure))
    expect(rig.reports).toEqual([])
    rig.clock.advance(10_000)
    expect(rig.reports).toMatchObject([{ type: 'copy.finished' }])
    expect(rig.read()).toEqual(contents(files))
  })

  it('is not borne for ever', () => {
    const rig = copied([file('big', 6 * CHUNK)], (one) => {
      one.faults.push(null)
      one.fault = TIMEOUT
    })
    rig.clock.advance(60_000)
    expect(rig.reports).toEqual([
      { type: 'copy.failed', version: 1, kind: 'remote', message: 'no answer', error: null },
    ])
    expect(rig.asked.length).toBeLessThan(20)
  })

  it('is borne as long as it takes when the other side is only busy', () => {
    const rig = copied([file('big', CHUNK)], (one) => {
      one.fault = refused('EBUSY')
    })
    rig.clock.advance(29_000)
    expect(rig.reports).toEqual([])
    rig.fault = null
    rig.clock.advance(1000)
    expect(rig.reports).toMatchObject([{ type: 'copy.finished' }])
  })

  it.each(['ENOENT', 'EPERM', 'EINVAL', 'ENOMETHOD'] as const)(
    '%s ends the copy at once: it will not get better',
    (code) => {
      const rig = copied([file('big', CHUNK)], (one) => one.faults.push(null, refused(code)))
      expect(rig.reports).toMatchObject([
        { type: 'copy.failed', kind: 'remote', message: `refused: ${code}` },
      ])
    },
  )

  it('leaves what has come for the next attempt', () => {
    // The list, then pieces, of which four are under way at a time: when the eleventh is refused six have come.
    const rig = copied([file('big', 12 * CHUNK)], (one) =>
      one.faults.push(...Array<null>(11).fill(null), refused('ENOENT')),
    )
    expect(rig.reports).toMatchObject([{ type: 'copy.failed' }])
    const before = rig.fetchedBytes
    rig.restart()
    rig.start(2)
    rig.clock.settle()
    expect(rig.reports).toMatchObject([{ type: 'copy.failed' }, { type: 'copy.finished' }])
    expect(rig.fetchedBytes - before).toBeLessThan(7 * CHUNK)
  })
})

describe('what is not what was offered', () => {
  it.each<[string, (rig: CopierRig) => void]>([
    [
      'a list that is no list',
      (rig) => (rig.change = (answer) => ({ ...answer, data: Uint8Array.of(1, 2, 3) })),
    ],
    ['a list of more files', (rig) => (rig.change = (answer) => ({ ...answer, total: 7 }))],
    [
      'a file of another size',
      (rig) => (rig.change = (answer) => (answer.total > 9 ? { ...answer, total: 1 } : answer)),
    ],
    [
      'nothing where something should be',
      (rig) =>
        (rig.change = (answer) => (answer.total > 9 ? { ...answer, data: new Uint8Array(0) } : answer)),
    ],
    [
      'more than was asked for',
      (rig) =>
        (rig.change = (answer) => (answer.total > 9 ? { ...answer, data: new Uint8Array(60) } : answer)),
    ],
  ])('%s ends the copy, and nothing is published', (_, prepare) => {
    const rig = copied([file('f', 50)], prepare)
    expect(rig.reports).toMatchObject([{ type: 'copy.failed', kind: 'remote', error: null }])
    expect(rig.store.newest).toBeNull()
  })

  it('an offer of more files than a snapshot can have is not taken up', () => {
    const rig = new CopierRig()
    rig.publish(10, [])
    rig.start(1, { files: 65_537 })
    rig.clock.settle()
    expect(rig.reports).toMatchObject([{ type: 'copy.failed', kind: 'remote' }])
    expect(rig.asked).toEqual([])
  })

  it('SN-03: a name that leads out of the snapshot is refused (trap T66)', () => {
    const rig = copied([file('xx_xbig', 50)], (one) => {
      one.change = (answer) => {
        const at = Buffer.from(answer.data).indexOf('xx_x')
        if (at >= 0) answer.data.set(Buffer.from('../x'), at)
        return answer
      }
    })
    expect(rig.reports).toMatchObject([
      { type: 'copy.failed', kind: 'remote', message: expect.stringMatching(/\.\./) },
    ])
  })

  it('bytes that were changed on their way are found before anything is published, and fetched anew', () => {
    const rig = copied([file('f', 500)], (one) => {
      one.change = (answer) =>
        answer.total > 9 ? { ...answer, data: answer.data.map((byte) => byte ^ 1) } : answer
    })
    expect(rig.reports).toMatchObject([{ type: 'copy.failed', kind: 'corrupt', error: { code: 'CORRUPT' } }])
    expect(rig.store.newest).toBeNull()
    rig.change = (answer) => answer
    rig.start(2)
    rig.clock.settle()
    expect(rig.reports[1]).toMatchObject({ type: 'copy.finished' })
  })
})

describe('the end', () => {
  it('of the disk is told as what it is', () => {
    const rig = new CopierRig()
    rig.publish(10, [file('f', 500)])
    rig.store.close(() => {})
    rig.clock.settle()
    rig.start()
    rig.clock.settle()
    expect(rig.reports).toMatchObject([{ type: 'copy.failed', kind: 'local', error: { code: 'CLOSED' } }])
  })

  it('comes by a cancellation at any time, and is told to nobody', () => {
    for (let turns = 0; turns < 40; turns++) {
      const rig = new CopierRig()
      rig.publish(10, [file('f', 3 * CHUNK)])
      const actor = rig.start()
      for (let turn = 0; turn < turns; turn++) rig.clock.turn()
      const finished = actor.getSnapshot().status === 'done'
      if (!finished) actor.send({ type: 'cancel' })
      rig.clock.settle()
      expect([actor.getSnapshot().status, rig.reports.length]).toEqual(['done', finished ? 1 : 0])
      expect(rig.clock.pendingTimers).toBeLessThan(2)
    }
  })
})
