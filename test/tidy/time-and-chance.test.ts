// Time, chance and asynchrony are handed in: what makes a whole cluster replay from one seed (docs/decisions.md).

import { describe, expect, it } from 'vitest'
import { codeOf, linesWith, sourcesIn } from './support/sources.ts'

const FORBIDDEN =
  /\bDate\s*\.\s*now\b|\bnew Date\(\)|\bperformance\s*\.\s*now\b|\bMath\s*\.\s*random\b|\brandomUUID\b|(?<![.\w#])(setTimeout|setInterval|setImmediate|queueMicrotask)\s*\((?!\w+:)|\bprocess\s*\.\s*(nextTick|hrtime)\b/

/** Where the platform may be asked, and why. */
const ALLOWED: Readonly<Record<string, string>> = {
  'src/runtime/': 'the one place that turns the platform into ports',
  'src/cli/': 'stopwatches and wall clocks for people; nothing of it reaches a node',
  'src/page/browser/': 'runs in a browser, which has no other clock',
  'src/simulation/time/time-driver.ts': 'lets promises of user code settle between two simulated events',
  'src/storage/sqlite/':
    'a real disk is no part of a replay; it ends refused requests after the current turn',
}

const sources = sourcesIn('src')
const hits = sources.flatMap((source) => linesWith(source, FORBIDDEN))

describe('clocks, chance and timers', () => {
  it('of the platform are asked for in few places, each with a reason', () => {
    expect(hits.filter((hit) => !Object.keys(ALLOWED).some((place) => hit.startsWith(place)))).toEqual([])
  })

  it('are used by everybody who is allowed to', () => {
    const unused = Object.keys(ALLOWED).filter((place) => !hits.some((hit) => hit.startsWith(place)))
    expect(unused).toEqual([])
  })
})

describe('the consensus path', () => {
  /** All of the host but the two files that turn callbacks into a user's promises. */
  const HOST = sources
    .map(({ path }) => path)
    .filter((path) => path.startsWith('src/host/') && !/open-host|raft-node/.test(path))
  const PATH = ['src/actors/', 'src/rules/', 'src/log/', ...HOST]
  /** What users write may be asynchronous: here, and only here, their promises become events. */
  const USER_CODE = ['src/actors/apply/user-code.ts', 'src/actors/apply/apply-queue.events.ts']
  /** What it writes and reads of a snapshot goes through promises, each of which ends in an event, too. */
  const SNAPSHOT_CODE = ['machine-snapshots', 'user-reader', 'user-writer'].map(
    (name) => `src/actors/snapshot/${name}.ts`,
  )
  const exempt = [...USER_CODE, ...SNAPSHOT_CODE]
  const own = sources.filter(
    ({ path }) => PATH.some((place) => path.startsWith(place)) && !exempt.includes(path),
  )

  it('knows no promises: what is asynchronous ends in an event', () => {
    const promises = /\basync\b|(?<!#)\bawait\b|\bPromise\b|\bPromiseLike\b|\.then\(/
    expect(own.flatMap((source) => linesWith(source, promises))).toEqual([])
  })

  it('throws no exception into a promise that nobody watches: the queue of user code never awaits', () => {
    const queue = sources.filter(({ path }) => USER_CODE.includes(path))
    expect(queue.flatMap((source) => linesWith(source, /\basync\b|(?<!#)\bawait\s/))).toEqual([])
    expect(queue).toHaveLength(USER_CODE.length)
  })
})

describe('the scanner behind these rules', () => {
  const HOLE = '$' + '{'

  it.each([
    ['a comment', 'a // Date.now()\nb', 'a              \nb'],
    ['a block', 'a /* x\ny */ b', 'a     \n     b'],
    ['a string', "f('Date.now') + g", 'f(          ) + g'],
    ['an escaped quote', "f('it\\'s') + g", 'f(       ) + g'],
    ['a template with code in it', `\`a ${HOLE}f({ b: 1 })} c\` + g`, '     f({ b: 1 })     + g'],
    ['a template in a template', `\`a ${HOLE}\`b ${HOLE}c}\`} d\``, '          c      '],
    ['a regular expression', 'x = /[/"]Date/ + y', 'x =            + y'],
    ['a division', 'a / b / c', 'a / b / c'],
  ])('blanks %s and leaves the code', (_, text, code) => {
    expect(codeOf(text)).toBe(code)
  })

  it('finds what is forbidden, and not what is handed in', () => {
    const found = ['Date.now()', 'setTimeout(f, 1)', 'void setImmediate(f)', 'Math.random()'].filter((text) =>
      FORBIDDEN.test(text),
    )
    expect(found).toHaveLength(4)
    expect(FORBIDDEN.test('clock.setTimeout(f, 1)') || FORBIDDEN.test('this.#clock.nowMs()')).toBe(false)
  })
})
