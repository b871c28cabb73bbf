// Snapshots on their way, told to live actors: offered, fetched, compacted under, given up.

import { expect } from 'vitest'
import type { InspectionEvent } from 'xstate'
import { StorageError } from '../../../src/storage/storage.ts'
import { dataEntries } from '../../log/support/entries.ts'
import { CopierRig, content } from './copier-rig.ts'
import { replicatorRig } from './replication-world.ts'

export function shippingStories(
  inspect: (event: InspectionEvent) => void,
): Readonly<Record<string, () => void>> {
  return {
    'a follower that needs a snapshot': () => {
      const installing = () => {
        const rig = replicatorRig({ stored: dataEntries(11, 20, 2), termBeforeFirst: 2, inspect })
        rig.refuse(5)
        return rig
      }
      const none = installing()
      none.files.fail()
      none.clock.advance(1000)
      const rig = installing()
      const [{ done } = { done: () => {} }] = rig.files.asked
      rig.files.open(15, 2)
      done({ ok: false, error: new StorageError('IO', 'late') })
      const answer = (term: number, state: 'accepted' | 'installed') => {
        const { offered } = rig
        offered?.answer({ term, state, doneBytes: 1, totalBytes: 2 })
        rig.clock.settle()
        return offered
      }
      answer(7, 'accepted')
      rig.clock.advance(100)
      rig.offered?.fail('TIMEOUT')
      rig.clock.advance(1000)
      rig.files.open(15, 2)
      answer(9, 'accepted')
      const late = rig.offered
      rig.actor.send({
        type: 'offer.answered',
        offer: 0,
        sentMs: 0,
        outcome: { ok: true, response: { term: 7, state: 'busy', doneBytes: 0, totalBytes: 0, identity: 0 } },
      })
      expect(late).toBeUndefined()
      const again = installing()
      for (let i = 0; i < 2; i++) {
        again.files.open(15, 2)
        again.offered?.answer({ term: 7, state: 'installed', doneBytes: 2, totalBytes: 2 })
        again.refuse(5)
      }
      // Compacted while it streams.
      const streaming = replicatorRig({
        stored: dataEntries(1, 20, 2, 1000),
        tuning: { maxEntriesPerFrame: 1, maxFramesInFlight: 1 },
        inspect,
      })
      streaming.refuse(3)
      streaming.acknowledge()
      streaming.log.truncatePrefix(15)
      streaming.actor.send({ type: 'log.grew' })
      expect(streaming.state).toEqual({ installingSnapshot: 'opening' })
    },
    'a snapshot that is copied': () => {
      const file = (name: string, bytes: number) => ({ name, content: content(bytes) })
      const silence = { code: 'TIMEOUT', message: 'no answer' } as const
      const gone = { code: 'REFUSED', remoteCode: 'ENOENT', message: 'gone' } as const
      const copy = (prepare: (rig: CopierRig) => void = () => {}) => {
        const rig = new CopierRig(inspect)
        rig.publish(10, [file('f', 2_000_000), file('g', 0)])
        prepare(rig)
        const actor = rig.start()
        rig.clock.settle()
        rig.clock.advance(1000)
        return { rig, actor }
      }
      copy((rig) => rig.faults.push(silence, null, silence))
      copy((rig) => rig.faults.push(gone))
      copy((rig) => rig.faults.push(null, null, null, gone))
      copy((rig) => {
        rig.change = (answer) =>
          answer.total > 9 ? { ...answer, data: answer.data.map((byte) => byte ^ 1) } : answer
      })
      copy((rig) => {
        rig.change = (answer) => ({ ...answer, data: Uint8Array.of(0x80) })
      })
      copy((rig) => {
        rig.store.close(() => {})
      })
      const odd = copy((rig) => {
        rig.change = (answer) => {
          const at = Buffer.from(answer.data).indexOf('f')
          if (answer.total === 2 && at >= 0) answer.data[at] = 0x2f
          return answer
        }
      })
      expect(odd.rig.reports).toMatchObject([{ kind: 'remote' }])
      const large = new CopierRig(inspect)
      large.publish(10, [])
      large.start(1, { files: 1_000_000 })
      large.clock.settle()
      const { rig, actor } = copy((one) => {
        one.held = true
      })
      actor.send({ type: 'cancel' })
      actor.send({ type: 'cancel' })
      rig.clock.settle()
    },
  }
}
