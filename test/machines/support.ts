// A store without a group: entries by hand, and snapshots that are handed from one to another.

import { expect } from 'vitest'
import type { SnapshotReader, SnapshotWriter } from '../../src/index.ts'
import { KeyValueStore, type KvChanges, type KvCommand, type KvPage } from '../../src/machines.ts'

export const START_MS = 1_700_000_000_000

/** Applies at the index behind the last one. */
export class Log {
  index = 0
  readonly store: KeyValueStore

  constructor(store: KeyValueStore = new KeyValueStore()) {
    this.store = store
  }

  apply(command: KvCommand, atMs?: number) {
    this.index += 1
    const time = atMs === undefined ? {} : { timeMs: START_MS + atMs }
    return this.store.apply(command, { index: this.index, term: 1, ...time })
  }
}

export const get = (store: KeyValueStore, key: string) => store.read(['get', key])
export const list = (store: KeyValueStore, ...rest: unknown[]) => store.read(['list', ...rest]) as KvPage
export const changes = (store: KeyValueStore, ...rest: unknown[]) =>
  store.read(['changes', ...rest]) as KvChanges

/** All pages, one after the other. */
export function listAll(store: KeyValueStore, prefix: string, limit: number): KvPage['pairs'][number][] {
  const all: KvPage['pairs'][number][] = []
  for (let after: string | null = null; ; ) {
    const page: KvPage = after === null ? list(store, prefix, limit) : list(store, prefix, limit, after)
    expect(page.pairs.length).toBeLessThanOrEqual(limit)
    all.push(...page.pairs)
    after = page.next
    if (after === null) return all
  }
}

type File = readonly [name: string, bytes: Uint8Array]

/** The files of a snapshot; `meanwhile` comes when the state has been captured and before it is written. */
export async function filesOf(
  store: KeyValueStore,
  meanwhile: () => void = () => {},
): Promise<readonly File[]> {
  const files: File[] = []
  const writer: SnapshotWriter = {
    meta: metaAt(1),
    addFile: async (name, content) => {
      if (content instanceof Uint8Array || !(Symbol.iterator in content)) throw new Error('not as expected')
      files.push([name, Buffer.concat([...content])])
    },
    removeFile: async () => {},
  }
  const background = store.onSnapshotSave(writer)
  meanwhile()
  await background()
  return files
}

/** @param size of the pieces in which they are read */
export function loadFiles(
  store: KeyValueStore,
  files: readonly File[],
  { index = 1, size = 1000 } = {},
): Promise<void> {
  const bytesOf = (name: string): Uint8Array => {
    const file = files.find(([one]) => one === name)
    if (file === undefined) throw new Error(`no file ${name}`)
    return file[1]
  }
  const reader: SnapshotReader = {
    meta: metaAt(index),
    files: () => files.map(([name, { length }]) => ({ name, bytes: length, checksum: '', userMeta: null })),
    open: (name) => inPiecesOf(size, bytesOf(name)),
    readAll: async (name) => bytesOf(name),
  }
  return store.onSnapshotLoad(reader)
}

export async function* inPiecesOf(size: number, bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

function metaAt(lastIncludedIndex: number): SnapshotReader['meta'] {
  return { lastIncludedIndex, lastIncludedTerm: 1, peers: ['a'], oldPeers: [] }
}
