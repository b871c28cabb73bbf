// What can go wrong with a disk, and how a write ends.

/** Why storage could not do what was asked. `code` is stable; `message` is one sentence for a person. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code: StorageErrorCode
  constructor(code: StorageErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

export type StorageErrorCode =
  | 'IO' // a write, sync or read failed; what it covered may or may not be on disk
  | 'FULL' // no space left
  | 'GONE' // the files are not the ones that were opened: removed, replaced or unmounted
  | 'FAULT' // a callback threw, so its owner may not know what is durable: its group takes no more
  | 'CORRUPT' // a checksum or the structure does not fit; the message names group and index
  | 'LOCKED' // another process uses this data directory
  | 'FOREIGN' // the data directory belongs to another member
  | 'VERSION' // written by a newer format
  | 'CLOSED' // used after close
  | 'INVALID' // what was asked for makes no sense (a gap, a term going back); nothing was written

/** `null` means: durable, it survives power loss from here on. */
export type StorageDone = (error: StorageError | null) => void
