// Writes one thing at a time, noting each that was acknowledged, then a hundred in one turn.
// Arguments: data directory, file of notes, and perhaps a file that is made before a last write, to stall it.

import { openSync, writeFileSync, writeSync } from 'node:fs'
import { openSqliteStorage } from '../../../dist/src/storage/sqlite/sqlite-storage.js'

const [dataDir, notes, stallFile] = process.argv.slice(2)
const file = openSync(notes, 'a')
const note = (word) => writeSync(file, `${word}\n`)
const durable = (ask) => new Promise((resolve, reject) => ask((error) => (error ? reject(error) : resolve())))

const storage = await openSqliteStorage({ dataDir, hostId: 'n1', closeTimeoutMs: 300 })
note('started')
const { store, stored } = await new Promise((resolve) => storage.openGroup('g', resolve))
note('opened')
const entry = (index) => ({ index, term: 1, type: 2, data: Buffer.alloc(100) })
let next = stored.lastIndex + 1
for (let round = 0; round < 20; round++) {
  await durable((done) => store.append([entry(next++)], done))
  note('append')
}
for (let term = 1; term <= 5; term++) {
  await durable((done) => store.saveHardState({ term, votedFor: 'n1' }, done))
  note('hard state')
}
await durable((done) => store.truncateSuffix(next - 2, done))
next--
note('suffix')
await durable((done) => store.truncatePrefix(3, 1, done))
note('prefix')
await durable((done) => store.append([], done))
note('barrier')
await Promise.all(Array.from({ length: 100 }, () => durable((done) => store.append([entry(next++)], done))))
note('burst')
if (stallFile === undefined) {
  await durable((done) => storage.close(done))
  note('closed')
} else {
  writeFileSync(stallFile, '')
  store.append([entry(next)], () => {})
  await durable((done) => storage.close(done)).catch((error) => process.stdout.write(`${error.message}\n`))
  process.stdout.write('given up\n')
}
