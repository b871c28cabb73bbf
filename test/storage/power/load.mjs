// Writes to the data directory given, in a way drawn from a seed, and notes in a file what it asked for, what was
// acknowledged, and what it found when it began: JSON lines, each written before the next step is taken.
// Arguments: data directory, file of notes, seed, number of operations, "close" or "die".

import { existsSync, openSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { openSqliteStorage } from '../../../dist/src/storage/sqlite/sqlite-storage.js'

const [dataDir, notes, seedText, countText, end] = process.argv.slice(2)
const file = openSync(notes, 'a')
const note = (line) => writeSync(file, `${JSON.stringify(line)}\n`)

let seed = Number(seedText)
function random() {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}
const below = (limit) => Math.floor(random() * limit)

const isFirstLife = !existsSync(dataDir)
const storage = await openSqliteStorage({ dataDir, hostId: 'n1', maxWalBytes: 96 * 1024 })
const groups = []
const found = {}

function open(name) {
  return new Promise((resolve, reject) => {
    storage.openGroup(name, (result) => {
      if (!result.ok) return reject(result.error)
      const { store, stored } = result
      const { hardState, firstIndex, lastIndex, termBeforeFirst } = stored
      const entries = store.read(firstIndex, { maxEntries: 1e6, maxBytes: 1e9 })
      found[name] = {
        hardState,
        firstIndex,
        termBeforeFirst,
        entries: entries.map(({ term, type, data }) => [term, type, data.length, crc32(data)]),
      }
      const term = Math.max(hardState?.term ?? 0, termBeforeFirst, entries.at(-1)?.term ?? 0, 1)
      groups.push({
        name,
        store,
        first: firstIndex,
        last: lastIndex,
        terms: entries.map((e) => e.term),
        term,
      })
      resolve()
    })
  })
}

function nextOperation(group) {
  const dice = random()
  if (dice < 0.6) {
    if (random() < 0.1) group.term++
    const count = random() < 0.1 ? 70 + below(80) : 1 + below(12)
    const largest = random() < 0.05 ? 20_000 : 300
    const entries = Array.from({ length: count }, () => {
      const data = Buffer.alloc(below(largest), below(256))
      const type = random() < 0.05 ? 3 : 2
      return { index: ++group.last, term: group.term, type, data }
    })
    for (const { term } of entries) group.terms.push(term)
    const rows = entries.map(({ term, type, data }) => [term, type, data.length, crc32(data)])
    return { op: { kind: 'append', rows }, ask: (done) => group.store.append(entries, done) }
  }
  if (dice < 0.75) {
    const state = { term: ++group.term, votedFor: random() < 0.5 ? null : `n${1 + below(3)}` }
    return { op: { kind: 'hardState', state }, ask: (done) => group.store.saveHardState(state, done) }
  }
  if (dice < 0.85) {
    const lastKept = Math.max(group.first - 1, group.last - below(20))
    group.last = lastKept
    group.terms.length = lastKept - group.first + 1
    return { op: { kind: 'suffix', lastKept }, ask: (done) => group.store.truncateSuffix(lastKept, done) }
  }
  if (dice < 0.98 && group.last > group.first) {
    const dropped = 1 + below(group.last - group.first)
    const termBefore = group.terms[dropped - 1]
    group.first += dropped
    group.terms.splice(0, dropped)
    const { first } = group
    return {
      op: { kind: 'prefix', first, termBefore },
      ask: (done) => group.store.truncatePrefix(first, termBefore, done),
    }
  }
  group.first = group.last + 1 + below(50)
  group.last = group.first - 1
  group.terms = []
  const { first, term } = group
  return {
    op: { kind: 'reset', first, termBefore: term },
    ask: (done) => group.store.reset(first, term, done),
  }
}

await Promise.all((isFirstLife ? ['a', 'b'] : ['a', 'b', 'c']).map(open))
note({ found })
let waiting = []
for (let number = 1; number <= Number(countText); number++) {
  if (number === 20 && isFirstLife) await open('c')
  const group = groups[below(groups.length)]
  const { op, ask } = nextOperation(group)
  note({ asked: number, group: group.name, op })
  waiting.push(
    new Promise((resolve) =>
      ask((error) => {
        if (error !== null) throw error
        note({ acknowledged: number })
        resolve()
      }),
    ),
  )
  if (random() < 0.3) {
    await Promise.all(waiting)
    waiting = []
  }
}
await Promise.all(waiting)
if (end === 'die') process.kill(process.pid, 'SIGKILL')
await new Promise((resolve) => storage.close(resolve))
