// Planted bugs in what user code is handed when it saves and loads, and in how the key-value machine does both.

import type { Mutant } from '../mutant.ts'

const WRITER = ['test/host/snapshot-writer.test.ts']
const READER = ['test/host/snapshot-reader.test.ts']
const ODD_DISKS = ['test/actors/snapshot/user-code.test.ts']
const MEMBER = ['test/host/snapshots.test.ts']
const KV = ['test/machines/kv-snapshots.test.ts']

export const USER_SNAPSHOT_MUTANTS: readonly Mutant[] = [
  {
    name: 'texts cut at the end of a piece',
    file: 'machines/kv-texts.ts',
    find: '      if (whole.length - at < needed) break\n',
    replace: '',
    tests: KV,
  },
  {
    name: 'memory of a piece used again for the next one',
    file: 'machines/kv-texts.ts',
    find: '      piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, mostBytes))',
    replace:
      '      if (mostBytes > piece.length) piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, mostBytes))',
    tests: KV,
  },
  {
    name: 'lengths of texts counted in characters',
    file: 'machines/kv-texts.ts',
    find: '    piece.writeUInt32BE(bytes, used)',
    replace: '    piece.writeUInt32BE(Math.min(bytes, text.length), used)',
    tests: KV,
  },
  {
    name: 'room for texts reckoned in characters',
    file: 'machines/kv-texts.ts',
    find: 'const MAX_BYTES_PER_UNIT = 3',
    replace: 'const MAX_BYTES_PER_UNIT = 1',
    tests: KV,
  },
  {
    name: 'a mark at the beginning of a text swallowed',
    file: 'machines/kv-texts.ts',
    find: 'ignoreBOM: true',
    replace: 'ignoreBOM: false',
    tests: KV,
  },
  {
    name: 'a file that ends within a text taken for whole',
    file: 'machines/kv-texts.ts',
    find: '  if (bytes > 0) throw',
    replace: '  if (bytes < 0) throw',
    tests: KV,
  },
  {
    name: 'a state that may change before it is written',
    file: 'machines/kv.ts',
    find: '    return () => save(saved, writer)\n',
    replace: '    return () => save({ ...saved, pairs: this.#pairs.all() }, writer)\n',
    tests: KV,
  },
  {
    name: 'half a state kept when the rest cannot be loaded',
    file: 'machines/kv.ts',
    find: '    const loaded = this.#empty()\n',
    replace: '    const loaded = this.#pairs\n',
    tests: KV,
  },
  {
    name: 'a machine that saves and cannot load taken for sound',
    file: 'actors/snapshot/machine-snapshots.ts',
    find: '    if (has[0] !== has[1])\n',
    replace: '    if (has[0] === undefined)\n',
    tests: MEMBER,
  },
  {
    name: 'a snapshot published while user code still writes',
    file: 'actors/snapshot/machine-snapshots.ts',
    find: 'return void (await background())',
    replace: 'return void background()',
    tests: WRITER,
  },
  {
    name: 'what user code does not wait for is left out',
    file: 'actors/snapshot/user-writer.ts',
    find: '    this.#closed = true\n    await this.#queue\n',
    replace: '    this.#closed = true\n',
    tests: WRITER,
  },
  {
    name: 'what failed and nobody waited for is forgotten',
    file: 'actors/snapshot/user-writer.ts',
    find: '    if (this.#failure !== null) throw this.#failure\n  }\n\n  /** What fails fails',
    replace: '  }\n\n  /** What fails fails',
    tests: WRITER,
  },
  {
    name: 'contents read faster than the disk takes them',
    file: 'actors/snapshot/user-writer.ts',
    find: 'const MAX_WRITES_UNDER_WAY = 4',
    replace: 'const MAX_WRITES_UNDER_WAY = 4000',
    tests: ODD_DISKS,
  },
  {
    name: 'bytes that were handed over kept without a copy',
    file: 'actors/snapshot/user-writer.ts',
    find: '[new Uint8Array(content)]',
    replace: '[content]',
    tests: MEMBER,
  },
  {
    name: 'files added after the end of a save',
    file: 'actors/snapshot/user-writer.ts',
    find: '    this.#closed = true\n',
    replace: '',
    tests: WRITER,
  },
  {
    name: 'a file read from its beginning again and again',
    file: 'actors/snapshot/user-reader.ts',
    find: '      next = offset < bytes ? this.#read(name, offset) : null',
    replace: '      next = offset < bytes ? this.#read(name, 0) : null',
    tests: READER,
  },
  {
    name: 'a read that nobody waits for brings the process down',
    file: 'actors/snapshot/user-reader.ts',
    find: '      next?.catch(() => {})\n',
    replace: '',
    tests: ODD_DISKS,
  },
  {
    name: 'a file that is not there taken for an empty one',
    file: 'actors/snapshot/user-reader.ts',
    find: '    if (file !== undefined) return file\n',
    replace:
      '    if (file !== undefined) return file\n    if (name.length > 0) return { name, bytes: 0, digest: new Uint8Array(), userMeta: null }\n',
    tests: READER,
  },
]
