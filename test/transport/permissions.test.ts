// Every user and every kind of subject, with its near misses: what the permissions allow is what is meant. And every
// line of them counts: with one less, or with one word of one line opened, something here is wrong.

import { describe, expect, test } from 'vitest'
import { formatPermissions, permissionsFor } from '../../src/transport/permissions.ts'
import { ASKERS, allows, isMeant, PROBES, permissionsOf, USERS } from './support/permission-probes.ts'

const DIRECTIONS = ['publish', 'subscribe'] as const
const CELLS = USERS.flatMap((user) => DIRECTIONS.map((direction) => [user, direction] as const))

describe.each([undefined, 'g'])('with group %s', (group) => {
  test.each(CELLS)('%s may %s what it is meant to, and nothing else', (user, direction) => {
    const list = permissionsOf(user, group)[direction]
    const wrong = PROBES.filter(
      (subject) => allows(list, subject) !== isMeant(user, direction, subject, group),
    )
    expect(wrong).toEqual([])
    expect(PROBES.some((subject) => allows(list, subject))).toBe(true)
    expect(PROBES.length).toBeGreaterThan(300)
  })
})

interface Mutant {
  readonly what: string
  readonly list: readonly string[]
}

/** One line less; one word of one line any word; one line open from some word on. */
function mutantsOf(list: readonly string[]): readonly Mutant[] {
  return list.flatMap((line, at) => {
    const words = line.split('.')
    const instead = (other: string): Mutant => ({ what: `${line} → ${other}`, list: list.with(at, other) })
    const anyWord = words
      .map((word, i) => (word === '*' || word === '>' ? line : words.with(i, '*').join('.')))
      .filter((other) => other !== line)
    const open = words.map((_, i) => [...words.slice(0, i), '>'].join('.')).filter((other) => other !== line)
    return [{ what: `without ${line}`, list: list.toSpliced(at, 1) }, ...[...anyWord, ...open].map(instead)]
  })
}

describe('a change of one line', () => {
  test.each(CELLS)('of what %s may %s is noticed', (user, direction) => {
    const mutants = mutantsOf(permissionsOf(user)[direction])
    const unnoticed = mutants.filter(({ list }) =>
      PROBES.every((subject) => allows(list, subject) === isMeant(user, direction, subject)),
    )
    expect(unnoticed.map(({ what }) => what)).toEqual([])
    expect(mutants.length).toBeGreaterThan(6)
  })
})

describe('the block of one user', () => {
  test('is in the language of nats-server', () => {
    expect(formatPermissions(permissionsOf('n1'))).toMatchInlineSnapshot(`
      "permissions: {
        publish: { allow: [
          "quorate.*.*.rpc.n1.*"
          "quorate.*.events.n1.>"
          "quorate.*.*.admin.status"
          "quorate.*.admin.join"
          "quorate.*.*.admin.inspect"
          "_INBOX_n2.*.rpc.n1.*"
          "_INBOX_n1.*.*.*"
          "_INBOX_n2.*.*.*"
          "_INBOX_app.>"
          "_INBOX_ops.>"
        ] }
        subscribe: { allow: [
          "quorate.*.n1.rpc.>"
          "quorate.*.n1.admin.>"
          "quorate.*.n1.client.*"
          "quorate.*.admin.>"
          "quorate.*.leader.*"
          "quorate.*.members.*"
          "quorate.*.events.*.inspect"
          "_INBOX_n1.>"
          "$SRV.>"
        ] }
      }"
    `)
  })

  test.each(['*', 'a.>', 'a..b', '', 'a b'])('is not made below the prefix %j', (prefix) => {
    expect(() => permissionsFor({ role: 'client', name: 'app', prefix })).toThrow(/prefix/)
  })

  test.each(['*', '>', 'a.b', '', 'a b'])('is not made around the name %j', (name) => {
    expect(() => permissionsFor({ role: 'node', name, prefix: 'quorate', askers: ASKERS })).toThrow(/User/)
    expect(() => permissionsFor({ role: 'client', name: 'app', prefix: 'quorate', group: name })).toThrow(
      /Group/,
    )
    const askers = { members: ['n1'], others: [name] }
    expect(() => permissionsFor({ role: 'node', name: 'n1', prefix: 'quorate', askers })).toThrow(/User/)
  })
})
