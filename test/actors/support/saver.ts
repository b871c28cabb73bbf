// A recorder whose state can be saved and loaded, in whichever way the test says.

import type { BackgroundSave, SnapshotReader, SnapshotWriter } from '../../../src/state-machine.ts'
import { Recorder } from './recorder.ts'

type Save = (
  writer: SnapshotWriter,
  signal: AbortSignal,
) => void | BackgroundSave | Promise<void> | Promise<BackgroundSave | undefined>

const TEXT = { encoder: new TextEncoder(), decoder: new TextDecoder() }

export class Saver extends Recorder {
  signal: AbortSignal | null = null
  loaded: string | null = null
  /** Default: one file that says how many commands were applied. */
  save: Save = (writer) => {
    void writer.addFile('count', TEXT.encoder.encode(String(this.applied.length)))
  }
  load: (reader: SnapshotReader) => void | Promise<void> = async (reader) => {
    this.loaded = TEXT.decoder.decode(await reader.readAll('count'))
  }

  onSnapshotSave(writer: SnapshotWriter, signal: AbortSignal): ReturnType<Save> {
    this.signal = signal
    this.calls.push(`save @${writer.meta.lastIncludedIndex}`)
    return this.save(writer, signal)
  }

  onSnapshotLoad(reader: SnapshotReader, signal: AbortSignal): void | Promise<void> {
    this.signal = signal
    this.calls.push(`load @${reader.meta.lastIncludedIndex}`)
    return this.load(reader)
  }
}

/** Something that user code waits for, until the test says so. */
export interface Gate<T = void> {
  readonly passed: Promise<T>
  open(value: T): void
  fail(error: Error): void
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => {}
  let fail: (error: Error) => void = () => {}
  const passed = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { passed, open: (value) => open(value), fail: (error) => fail(error) }
}
