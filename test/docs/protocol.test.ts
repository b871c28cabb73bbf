import { Encoder } from 'cbor-x'
import { describe, expect, test } from 'vitest'
import { type BusRole, formatPermissions, permissionsFor } from '../../src/transport/permissions.ts'
import { parseSubject } from '../../src/transport/subjects.ts'
import { RequestEncoder } from '../../src/transport/wire/codec.ts'
import { MAX_ENTRIES_PER_FRAME, MAX_RUNS_PER_FRAME } from '../../src/transport/wire/entries.ts'
import { METHODS } from '../transport/support/arbitraries.ts'
import { codeIn, read, rowsOf } from './support.ts'

const text = read('docs/protocol.md')
const rows = rowsOf(text)
const filledIn = (subject: string) =>
  subject.replace('<prefix>', 'quorate').replace('<group>', 'g').replace('<to>', 'n2').replace(/<\w+>/, 'n1')

describe('docs/protocol.md', () => {
  test('has a row for each message between members, with a subject that the grammar reads', () => {
    const subjects = rows
      .map(([, , , subject = '']) => codeIn(subject)[0])
      .filter((s) => s?.includes('.rpc.'))
    const methods = subjects.map((subject = '') => parseSubject('quorate', filledIn(subject)))
    expect(methods.map((parsed) => parsed?.kind === 'rpc' && parsed.method).sort()).toEqual(
      [...METHODS].sort(),
    )
  })

  test('has the body of each', () => {
    for (const method of METHODS)
      expect(text).toMatch(new RegExp(`^\\| (\\w+, )?${method}(, \\w+)? \\| .\\[1, from, term`, 'm'))
  })

  test('shows a frame byte for byte', () => {
    const [block = ''] = /^84 {17}[\s\S]*?(?=```)/m.exec(text) ?? []
    const hex = block
      .split('\n')
      .flatMap((line) => /^ *((?:[0-9a-f]{2} )+) /.exec(`${line} `)?.[1]?.trim() ?? [])
    const bytes = new RequestEncoder('n1').encode('read_index', { term: 3 })
    expect(hex.join('').replaceAll(' ', '')).toBe(Buffer.from(bytes).toString('hex'))
    expect(new Encoder({ useRecords: false }).decode(bytes)).toEqual([1, 'n1', 3, 0x85b15177])
  })

  test('names every reason for which something is dropped', () => {
    const source = `${read('src/transport/rpc/drops.ts')}${read('src/transport/wire/gate.ts')}`
    const reasons = [...source.matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(([, reason = '']) => reason)
    const named = rows.flatMap(([first = '']) => codeIn(first)).filter((code) => /^[A-Z_]+$/.test(code))
    expect(reasons.length).toBeGreaterThan(18)
    expect(named.sort()).toEqual(reasons.sort())
  })

  test('tells the bounds of a frame', () => {
    expect(text).toContain(`${MAX_ENTRIES_PER_FRAME.toLocaleString('en-US')} entries`)
    expect(text).toContain(`${MAX_RUNS_PER_FRAME.toLocaleString('en-US')} runs`)
  })

  test.each<[string, BusRole, string]>([
    ['member', 'node', 'n1'],
    ['client', 'client', 'app'],
    ['operator', 'operator', 'ops'],
  ])('has the permissions of a %s', (word, role, name) => {
    const { publish, subscribe } = permissionsFor({ role, name, prefix: 'quorate' })
    const row = rows.find(([first]) => first === `${word} \`${name}\``) ?? []
    expect(row.slice(1).map(codeIn)).toEqual([publish, subscribe])
  })

  test('shows the permissions of a member as nats-server reads them', () => {
    expect(text).toContain(
      formatPermissions(permissionsFor({ role: 'node', name: 'n1', prefix: 'quorate' }), '      '),
    )
  })
})
