// One list of all invariants: code, tests, planted bugs and the page for people say the same numbers and sentences.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PROMISES } from '../../../src/simulation/invariants/promises.ts'
import { filesIn } from '../../tidy/support/sources.ts'

const NAMES = Object.keys(PROMISES)
/** What no rule of the checker can throw yet, or what is compared outside of it, and where. */
const ELSEWHERE = ['INV-25']

describe('the list of invariants', () => {
  it('has every number that is named anywhere', () => {
    const named = filesIn(['src', 'test', 'tools'], /\.(ts|txt|md)$/).flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\bINV-\d+\b/g)].map(([name]) => name),
    )
    expect([...new Set(named)].filter((name) => !NAMES.includes(name))).toEqual([])
  })

  it('names nothing that no rule throws', () => {
    const code = filesIn(['src/simulation'], /\.ts$/)
      .filter((path) => !path.endsWith('promises.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n')
    const thrown = NAMES.filter((name) => code.includes(`'${name}'`))
    expect(NAMES.filter((name) => !thrown.includes(name) && !ELSEWHERE.includes(name))).toEqual([])
  })

  it.each(Object.entries(PROMISES))('is what docs/invariants.md says: %s', (name, sentence) => {
    expect(readFileSync('docs/invariants.md', 'utf8')).toContain(`| ${name} | ${sentence} |`)
  })
})
