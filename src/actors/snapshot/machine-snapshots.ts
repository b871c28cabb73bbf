// What a state machine can do about snapshots, whichever of the two ways it was written in.

import { QuorateError } from '../../errors.ts'
import { isThenable, messageOf, toError } from '../../runtime/errors.ts'
import type { SnapshotFileInput, SnapshotReader, SnapshotWriter, StateMachine } from '../../state-machine.ts'
import { decodeValue, encodeValue } from '../../transport/wire/codec.ts'
import { isAsyncIterable, type UserWriter } from './user-writer.ts'

/** Where the value of `snapshot()` lies. */
const VALUE_FILE = 'state.cbor'

export interface MachineSnapshots {
  /** Returns, at once or later, what is still to be done while commands are applied again. */
  capture(
    writer: SnapshotWriter,
    signal: AbortSignal,
  ): ReturnType<NonNullable<StateMachine['onSnapshotSave']>>
  load(reader: SnapshotReader, signal: AbortSignal): void | Promise<void>
}

/** Null: the machine knows nothing of snapshots. */
export function snapshotsOf(machine: StateMachine): MachineSnapshots | null {
  if (machine.onSnapshotSave !== undefined && machine.onSnapshotLoad !== undefined) {
    return {
      capture: (writer, signal) => machine.onSnapshotSave?.(writer, signal),
      load: (reader, signal) => machine.onSnapshotLoad?.(reader, signal),
    }
  }
  if (machine.snapshot === undefined || machine.restore === undefined) return null
  return {
    capture: (writer) => saveValue(writer, machine.snapshot?.()),
    load: async (reader) => machine.restore?.(await loadValue(reader)),
  }
}

/** Why a machine cannot be used, as the end of a sentence; null: it can. */
export function snapshotsMissing(machine: StateMachine): string | null {
  const pairs = [
    ['onSnapshotSave', 'onSnapshotLoad'],
    ['snapshot', 'restore'],
  ] as const
  for (const [save, load] of pairs) {
    const has = [machine[save] !== undefined, machine[load] !== undefined]
    if (has[0] !== has[1])
      return `has ${has[0] ? save : load} without ${has[0] ? load : save}: what is saved has to be loaded again`
  }
  return null
}

/** Encoded at once: the state may be another one afterwards. */
function saveValue(writer: SnapshotWriter, value: unknown): void | Promise<void> {
  if (isThenable(value)) return Promise.resolve(value).then((settled) => saveValue(writer, settled))
  let bytes: Uint8Array
  try {
    bytes = encodeValue(value)
  } catch (error) {
    const hint = 'Write large or other states with onSnapshotSave.'
    throw new QuorateError('INVALID', `What snapshot() returned cannot be saved: ${messageOf(error)} ${hint}`)
  }
  void writer.addFile(VALUE_FILE, bytes)
}

async function loadValue(reader: SnapshotReader): Promise<unknown> {
  const decoded = decodeValue(await reader.readAll(VALUE_FILE))
  if (decoded.ok) return decoded.value
  throw new QuorateError('INVALID', `Snapshot: ${VALUE_FILE} holds no value (${decoded.reason}).`)
}

/** Now, or when user code has come back. */
export type Later<T> = T | Promise<T>

/** What follows from what user code returns, or throws, now or later. */
export function afterwards<T>(
  userCode: () => unknown,
  then: (value: unknown) => T,
  failed: (error: unknown) => unknown = (error) => error,
): Later<T> {
  const fail = (error: unknown): never => {
    throw failed(error)
  }
  let returned: unknown
  try {
    returned = userCode()
  } catch (error) {
    return fail(error)
  }
  return isThenable(returned) ? Promise.resolve(returned).then(then, fail) : then(returned)
}

/** Carries out what `onSnapshotSave` has returned. `done` comes once, when all files are written, or with what was in the way. */
export function finishSave(
  background: unknown,
  writer: UserWriter,
  done: (error: Error | null) => void,
): void {
  carryOut(background, writer)
    .then(() => writer.finish())
    .then(
      () => done(null),
      (error: unknown) => done(toError(error)),
    )
}

async function carryOut(background: unknown, writer: SnapshotWriter): Promise<void> {
  if (background === undefined) return
  if (typeof background === 'function') return void (await background())
  if (!isAsyncIterable<SnapshotFileInput>(background)) {
    const what = 'onSnapshotSave returns nothing, a function, or an async iterable of files'
    throw new QuorateError(
      'INVALID',
      `Snapshot: ${what}, not ${background === null ? 'null' : typeof background}.`,
    )
  }
  for await (const file of background) {
    if (typeof file !== 'object' || file === null || !('name' in file) || !('content' in file))
      throw new QuorateError('INVALID', 'Snapshot: a file is yielded as { name, content, userMeta? }.')
    await writer.addFile(file.name, file.content, file.userMeta)
  }
}
