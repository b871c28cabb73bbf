// Publishes snapshots in the data directory given, one after the other, every third of them copied, and notes in a file
// what it found, asked for and was told, each written before the next step is taken.
// Arguments: data directory, file of notes, how many, "close", "die", or "groups": then each is of another group, so that
// nothing is removed beside. Bytes of the larger file, if not as usual.

import { openSync, writeSync } from 'node:fs'
import { chunkDigest, fileDigest } from '../../../dist/src/storage/snapshots/digest.js'
import { openSqliteStorage } from '../../../dist/src/storage/sqlite/sqlite-storage.js'
import {
  answered,
  fetchMissing,
  metaAt,
  openSnapshots,
  publish,
  someBytes,
} from '../../../dist/src/testing/snapshot-support.js'
import { written } from '../../../dist/src/testing/storage-conformance.js'

const CHUNK = 256 * 1024

const [dataDir, notes, countText, end, bytesText] = process.argv.slice(2)
const file = openSync(notes, 'a')
const note = (line) => writeSync(file, `${line}\n`)

/** As in sqlite-snapshots-power.test.ts. */
function filesOf(index) {
  return {
    same: someBytes(1000),
    state: someBytes(Number(bytesText ?? 300_000 + 100_000 * (index % 4)), index),
  }
}

/** As another member would tell it. */
function recordOf(index, files) {
  const rows = Object.entries(files).map(([name, data]) => {
    const chunks = []
    for (let at = 0; at < data.length; at += CHUNK) chunks.push(chunkDigest(data.subarray(at, at + CHUNK)))
    return { name, bytes: data.length, digest: fileDigest(chunks), userMeta: null }
  })
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
  return { meta: metaAt(index), files: rows, bytes, takenAtMs: index }
}

const storage = await openSqliteStorage({ dataDir, hostId: 'n1' })
note('started')
let store = await openSnapshots(storage)
const found = store.newest?.meta.lastIncludedIndex ?? 0
note(`found ${found}`)
for (let index = found + 1; index <= found + Number(countText); index++) {
  const files = filesOf(index)
  note(`asked ${index}`)
  if (end === 'groups') store = await openSnapshots(storage, `g${index}`)
  if (index % 3 === 0) {
    const copy = await answered((done) => store.copy(recordOf(index, files), done))
    await fetchMissing(copy, files)
    await answered((done) => copy.publish(done))
  } else await publish(store, index, files)
  note(`published ${index}`)
}
if (end === 'die') process.kill(process.pid, 'SIGKILL')
await written((done) => storage.close(done))
note('closed')
