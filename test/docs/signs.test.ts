// The signs in comments, test titles and reports: each has its row in a page below docs/, each row is cited, and none
// points to a document that is not in the repository.

import { existsSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { MUTANTS } from '../../tools/mutants/table.ts'
import { filesIn } from '../tidy/support/sources.ts'
import { codeIn, linksOf, read, root, rowsOf } from './support.ts'

const THIS = 'test/docs/signs.test.ts'
const cited = filesIn(['src', 'test', 'tools'], /\.(ts|txt|md)$/)
  .filter((path) => path !== THIS)
  .map((path) => ({ path, text: read(path) }))

interface Sign {
  readonly what: string
  readonly page: string
  /** One code, whole. */
  readonly code: RegExp
}

const SIGNS: readonly Sign[] = [
  { what: 'traps', page: 'docs/traps.md', code: /\bT\d{1,2}\b/g },
  { what: 'invariants', page: 'docs/invariants.md', code: /\bINV-\d+\b/g },
  { what: 'scenarios', page: 'docs/scenarios.md', code: /\b(?:ND|LS|BL|FC|LM|CF|HB|BR|CL|SN|SX)-\d{2}\b/g },
  { what: 'faults', page: 'docs/scenarios.md', code: /(?<=[(, `])[NBPDL]\d{1,2}(?=[),. :])/g },
]

/** Elsewhere a letter with a number is the name of a member. */
const FAULTS_ARE_NAMED_IN = /^src\/simulation\/|^test\/scenarios\/.*\.txt$/

/** "LM-01 to LM-05" cites those between, too. */
function codesIn(text: string, code: RegExp): string[] {
  const ranges = [...text.matchAll(/\b([A-Z]+-?)(\d+) to \1(\d+)\b/g)].flatMap(([, name = '', from, to]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => {
      const number = String(Number(from) + i)
      return name + number.padStart(from?.length ?? 0, '0')
    }),
  )
  return [...text.matchAll(code), ...ranges.join(' ').matchAll(code)].map(([found]) => found)
}

function citations({ what, code }: Sign): Map<string, string> {
  const files = cited.filter(({ path }) => what !== 'faults' || FAULTS_ARE_NAMED_IN.test(path))
  return new Map(files.flatMap(({ path, text }) => codesIn(text, code).map((found) => [found, path])))
}

const rows = ({ page, code }: Sign): string[] =>
  rowsOf(read(page))
    .map(([first = '']) => first)
    .filter((first) => new RegExp(`^(?:${code.source.replace(/\(\?<?=.*?\)(?=\[|$)/g, '')})$`).test(first))

describe.each(SIGNS)('$what', (sign) => {
  const found = citations(sign)
  const listed = rows(sign)

  it(`that are cited have their row in ${sign.page}`, () => {
    expect(found.size).toBeGreaterThan(10)
    const missing = [...found].filter(([code]) => !listed.includes(code))
    expect(missing.map(([code, path]) => `${code} in ${path}`)).toEqual([])
  })

  it(`that have a row in ${sign.page} are cited, and have one row`, () => {
    expect(listed.filter((code) => !found.has(code))).toEqual([])
    expect(listed).toEqual([...new Set(listed)])
  })
})

describe.each(['docs/traps.md', 'docs/invariants.md', 'docs/divergence.md'])('%s', (page) => {
  const tests = linksOf(read(page)).filter(({ text }) => text.includes(' › '))

  test.each(tests)('$text', ({ text, target }) => {
    const [, title = ''] = text.split(' › ')
    expect(title.length).toBeGreaterThan(10)
    expect(read(target.replace('../', ''))).toContain(title)
  })

  it('has a file of ours and a test in every row', () => {
    const rows = rowsOf(read(page)).filter(([first = '']) => !/^(trap|number|theirs|-+)$/.test(first))
    expect(rows.length).toBeGreaterThan(20)
    const bare = rows.filter((cells) => {
      const links = cells.flatMap(linksOf)
      return (
        !links.some(({ target }) => target.startsWith('../src/')) ||
        !links.some(({ text }) => text.includes(' › '))
      )
    })
    expect(bare.map(([first]) => first)).toEqual([])
  })
})

describe('planted bugs', () => {
  const named = ['docs/traps.md', 'docs/invariants.md'].flatMap((page) =>
    rowsOf(read(page)).flatMap(([sign = '', ...cells]) => {
      const bugs = /^(T\d|INV-\d)/.test(sign) ? codeIn(cells.at(-1) ?? '') : []
      return bugs.map((bug) => ({ sign, bug }))
    }),
  )

  it.each(named)('$bug exists, and $sign is what finds it if it is an invariant', ({ sign, bug }) => {
    const mutant = MUTANTS.find(({ name }) => name === bug)
    expect(mutant?.name).toBe(bug)
    if (sign.startsWith('INV-')) expect(mutant?.expect).toContain(sign)
  })

  it('expect invariants that have their row', () => {
    const known = rowsOf(read('docs/invariants.md')).map(([first]) => first)
    const expected = new Set(MUTANTS.flatMap((mutant) => mutant.expect ?? []))
    expect([...expected].filter((name) => name.startsWith('INV-') && !known.includes(name))).toEqual([])
  })
})

describe('citations', () => {
  /** Parts of documents that a reader of the repository does not have. Papers are named: "paper section 5.4". */
  const OUTSIDE: readonly RegExp[] = [
    /braft\.md|acceptance[- ]scenarios?|reference\/\w+\.md|\b(house|xstate|stack|style)\.md/i,
    /\bissue items?\b|\b(ordering )?guarantees? \d|\bdecisions? \d|\bthe design\b|\(design,/i,
    /\brows? \d+( (and|of|to) |[:),])/,
    /(?<!([Pp]aper|[Tt]hesis|figure \d+ and) )\b[Ss]ections? \d/,
    /braft sections? \d/i,
  ]

  const everywhere = filesIn(
    [
      'src',
      'test',
      'tools',
      'bench',
      'scripts',
      'examples',
      'docs',
      'README.md',
      'AGENTS.md',
      'CONTRIBUTING.md',
    ],
    /\.(ts|mts|mjs|txt|md)$/,
  )
    .filter((path) => path !== THIS)
    .map((path) => ({ path, text: read(path) }))

  it.each(OUTSIDE.map((pattern) => [pattern.source, pattern]))('name nothing outside: %s', (_, pattern) => {
    const outside = everywhere.flatMap(({ path, text }) =>
      text
        .split('\n')
        .filter((line) => new RegExp(pattern).test(line))
        .map((line) => `${path}: ${line.trim()}`),
    )
    expect(outside).toEqual([])
  })

  it.each([
    'the rule of braft.md section 4.3',
    'as in acceptance-scenarios.md 2.10',
    '(issue item 17)',
    "describe('row 9: a vote')",
    'leaves when durable (section 5.3)',
    '(braft section 8.2)',
    '(decision 4, INV-2)',
  ])('would be noticed: %s', (line) => {
    expect(OUTSIDE.some((pattern) => pattern.test(line))).toBe(true)
  })

  it('of pages below docs/ name pages that exist', () => {
    const pages = cited.flatMap(({ path, text }) =>
      [...text.matchAll(/\bdocs\/[\w-]+\.md\b/g)].map(([page]) => ({ path, page })),
    )
    expect(pages.length).toBeGreaterThan(5)
    expect(pages.filter(({ page }) => !existsSync(new URL(page, root)))).toEqual([])
  })
})
