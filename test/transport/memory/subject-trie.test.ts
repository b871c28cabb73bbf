// Which subscriptions a subject reaches, compared with a matcher that a child could write.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SubjectTrie } from '../../../src/transport/memory/subject-trie.ts'

/** `*` is one token, a last `>` one or more. */
function matches(pattern: string, subject: string): boolean {
  const tokens = subject.split('.')
  const wanted = pattern.split('.')
  if (wanted.at(-1) === '>') {
    return (
      tokens.length >= wanted.length &&
      matches(
        wanted
          .slice(0, -1)
          .concat(tokens.slice(wanted.length - 1))
          .join('.'),
        subject,
      )
    )
  }
  return wanted.length === tokens.length && wanted.every((token, i) => token === '*' || token === tokens[i])
}

const token = fc.constantFrom('a', 'b', 'c')
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'))
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, open]) => (open ? [...tokens.slice(1), '>'] : tokens).join('.'))

describe('the subscriptions of a subject', () => {
  test.each([
    ['a.>', 'a', false],
    ['a.>', 'a.b', true],
    ['a.>', 'a.b.c', true],
    ['>', 'a', true],
    ['*', 'a', true],
    ['*', 'a.b', false],
    ['a.*', 'a', false],
    ['a.*.c', 'a.b.c', true],
    ['a', 'a.b', false],
  ])('%s hears %s: %s', (wanted, said, heard) => {
    const trie = new SubjectTrie<string>()
    trie.add(wanted, wanted)
    const found: string[] = []
    trie.match(said, (item) => found.push(item))
    expect([found.length === 1, matches(wanted, said)]).toEqual([heard, heard])
  })

  test('are exactly those that match, whatever came and went before', () => {
    const step = fc.record({ pattern, comes: fc.boolean() })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(subject, { minLength: 5, maxLength: 20 }),
        (steps, said) => {
          const trie = new SubjectTrie<{ readonly pattern: string }>()
          const there: { readonly pattern: string }[] = []
          for (const { pattern: wanted, comes } of steps) {
            const at = there.findIndex((item) => item.pattern === wanted)
            const [gone] = comes || at < 0 ? [] : there.splice(at, 1)
            if (gone !== undefined) trie.remove(wanted, gone)
            else {
              const item = { pattern: wanted }
              there.push(item)
              trie.add(wanted, item)
            }
          }
          for (const one of said) {
            const found = new Set<object>()
            trie.match(one, (item) => {
              expect(found.has(item)).toBe(false)
              found.add(item)
            })
            expect(found).toEqual(new Set(there.filter((item) => matches(item.pattern, one))))
          }
        },
      ),
    )
  })
})
