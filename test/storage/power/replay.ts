// A disk as far as it has come: what is on it for good, and what would be lost, or kept in part, if the power went now.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DiskEvent } from './tap.ts'

/** What a device writes at once, or not at all. */
const SECTOR_BYTES = 512

/** Which of the things that were not synced are on the disk all the same; asked once for each sector and name. */
export type Survives = () => boolean

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly size: number }

class FileImage {
  #synced = Buffer.alloc(0)
  #pending: Change[] = []

  change(change: Change): void {
    this.#pending.push(change)
  }

  sync(): void {
    for (const change of this.#pending) this.#synced = applied(this.#synced, change)
    this.#pending = []
  }

  /** The bytes after a loss of power. */
  after(survives: Survives): Buffer {
    let bytes = Buffer.from(this.#synced)
    for (const change of this.#pending) {
      if (change.kind === 'truncate') {
        if (survives()) bytes = applied(bytes, change)
        continue
      }
      for (const part of sectorsOf(change)) if (survives()) bytes = applied(bytes, part)
    }
    return bytes
  }
}

function* sectorsOf({ at, data }: Change & { kind: 'write' }): Generator<Change> {
  for (let from = 0; from < data.length; ) {
    const length = Math.min(data.length - from, SECTOR_BYTES - ((at + from) % SECTOR_BYTES))
    yield { kind: 'write', at: at + from, data: data.subarray(from, from + length) }
    from += length
  }
}

function applied(bytes: Buffer<ArrayBuffer>, change: Change): Buffer<ArrayBuffer> {
  const size =
    change.kind === 'truncate' ? change.size : Math.max(bytes.length, change.at + change.data.length)
  const next = size === bytes.length ? bytes : resized(bytes, size)
  if (change.kind === 'write') change.data.copy(next, change.at)
  return next
}

function resized(bytes: Buffer<ArrayBuffer>, size: number): Buffer<ArrayBuffer> {
  const next = Buffer.alloc(size)
  bytes.copy(next, 0, 0, Math.min(bytes.length, size))
  return next
}

type Entry = FileImage | 'directory'
type NameChange = { readonly name: string; readonly entry: Entry | null }

/** The names in one directory. */
class DirectoryImage {
  readonly #synced = new Map<string, Entry>()
  #pending: NameChange[] = []

  change(change: NameChange): void {
    this.#pending.push(change)
  }

  sync(): void {
    for (const { name, entry } of this.#pending) put(this.#synced, name, entry)
    this.#pending = []
  }

  after(survives: Survives): Map<string, Entry> {
    const names = new Map(this.#synced)
    for (const { name, entry } of this.#pending) if (survives()) put(names, name, entry)
    return names
  }
}

function put(names: Map<string, Entry>, name: string, entry: Entry | null): void {
  if (entry === null) names.delete(name)
  else names.set(name, entry)
}

export class DiskReplay {
  readonly #directories = new Map<string, DirectoryImage>([['', new DirectoryImage()]])
  /** As the running process sees them. */
  readonly #files = new Map<string, FileImage>()

  take({ type, path, at, data }: DiskEvent): void {
    switch (type) {
      case 'mkdir':
        this.#directories.set(path, new DirectoryImage())
        this.#name(path, 'directory')
        break
      case 'create': {
        const file = new FileImage()
        this.#files.set(path, file)
        this.#name(path, file)
        break
      }
      case 'unlink':
        this.#files.delete(path)
        this.#name(path, null)
        break
      case 'write':
        this.#file(path).change({ kind: 'write', at, data })
        break
      case 'truncate':
        this.#file(path).change({ kind: 'truncate', size: at })
        break
      case 'sync':
        this.#directories.get(path)?.sync()
        this.#files.get(path)?.sync()
        break
    }
  }

  /** Writes what a loss of power leaves into a fresh directory. */
  cutPower(target: string, survives: Survives): void {
    this.#restore('', target, survives)
  }

  #restore(path: string, target: string, survives: Survives): void {
    mkdirSync(target)
    for (const [name, entry] of this.#directories.get(path)?.after(survives) ?? []) {
      const inner = path === '' ? name : `${path}/${name}`
      if (entry === 'directory') this.#restore(inner, join(target, name), survives)
      else writeFileSync(join(target, name), entry.after(survives))
    }
  }

  #name(path: string, entry: Entry | null): void {
    const parent = dirname(path)
    const name = path.slice(path.lastIndexOf('/') + 1)
    this.#directory(parent === '.' ? '' : parent).change({ name, entry })
  }

  #directory(path: string): DirectoryImage {
    const directory = this.#directories.get(path)
    if (directory === undefined) throw new Error(`The disk tap did not see directory "${path}" being made.`)
    return directory
  }

  #file(path: string): FileImage {
    const file = this.#files.get(path)
    if (file === undefined) throw new Error(`The disk tap did not see ${path} being made.`)
    return file
  }
}
