// Planted bugs in snapshots as operators see them: asked for over the bus, and looked at in the files of a stopped member.

import type { Mutant } from '../mutant.ts'

const SERVICES = ['test/services/snapshots.test.ts']
const CLI = ['test/cli/snapshot.test.ts']

export const OPERATED_SNAPSHOT_MUTANTS: readonly Mutant[] = [
  {
    name: 'a reader is opened for each request',
    file: 'services/snapshot-lending.ts',
    find: '    if (known !== undefined) {\n      reader.close()\n      return known\n    }\n',
    replace: '',
    tests: SERVICES,
  },
  {
    name: 'snapshots are lent for ever',
    file: 'services/snapshot-lending.ts',
    find: 'if (nowMs - usedMs >= IDLE_MS) this.#release(key)',
    replace: 'if (nowMs - usedMs < 0) this.#release(key)',
    tests: SERVICES,
  },
  {
    name: 'any number of snapshots is lent',
    file: 'services/snapshot-lending.ts',
    find: 'if (this.#lent.size >= MAX_LENT) {',
    replace: 'if (this.#lent.size > 9 * MAX_LENT) {',
    tests: SERVICES,
  },
  {
    name: 'a read that is not understood is not answered',
    file: 'services/snapshot-endpoints.ts',
    find: '    transport.publish(replyTo, encodeMessage(readAnswerTuple({ ok: false, error })))\n',
    replace: '',
    tests: SERVICES,
  },
  {
    name: 'a read that is not understood is not counted',
    file: 'services/snapshot-endpoints.ts',
    find: '    refuse(parsed.problem)\n',
    replace: '',
    tests: SERVICES,
  },
  {
    name: 'a read of a snapshot is cut for any bus',
    file: 'services/snapshot-endpoints.ts',
    find: 'transport.status().maxPayloadBytes',
    replace: '8 * 1024 * 1024',
    tests: SERVICES,
  },
  {
    name: 'only the first page of files is read',
    file: 'client/member-snapshots.ts',
    find: 'for (let { data } = first; files.length < total; ) {',
    replace: 'for (let { data } = first; files.length === 0; ) {',
    tests: SERVICES,
  },
  {
    name: 'pieces that were cut short are taken for whole',
    file: 'client/member-snapshots.ts',
    find: '        if (asked === 0) break\n',
    replace: '        if (asked >= 0) break\n',
    tests: SERVICES,
  },
  {
    name: 'a snapshot that is not answered in time was not taken',
    file: 'client/member-snapshots.ts',
    find: "reject(new QuorateError('TIMEOUT', text, { outcome: 'unknown', retryable: true }))",
    replace: "reject(new QuorateError('TIMEOUT', text, { retryable: true }))",
    tests: SERVICES,
  },
  {
    name: 'a damaged chunk is exported',
    file: 'storage/sqlite/snapshots/stopped-snapshots.ts',
    find: 'if (data === null || data.length !== chunk.bytes)\n',
    replace: 'if (data === null) continue\n      if (data.length !== chunk.bytes)\n',
    tests: CLI,
  },
  {
    name: 'what is not published is exported',
    file: 'storage/sqlite/snapshots/stopped-snapshots.ts',
    find: "found?.snapshots.findLast(({ state }) => state === 'published')",
    replace: "found?.snapshots.findLast(({ state }) => state !== 'published')",
    tests: CLI,
  },
  {
    name: 'the first chunk of a file is left out of an export',
    file: 'storage/sqlite/snapshots/stopped-snapshots.ts',
    find: '      yield data\n',
    replace: '      if (number > 0) yield data\n',
    tests: CLI,
  },
]
