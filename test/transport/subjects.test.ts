import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memberNameSchema, nameSchema } from '../../src/options.ts'
import {
  adminSubject,
  clientSubject,
  isMemberName,
  isPrefix,
  isPublishSubject,
  isSubscribeSubject,
  isToken,
  leaderSubject,
  parseRpcSubject,
  rpcAnswerHead,
  rpcSubjectHead,
  rpcSubscription,
} from '../../src/transport/subjects.ts'

const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const member = token.filter(isMemberName)
const prefix = fc
  .array(token, { minLength: 1, maxLength: 3 })
  .map((tokens) => tokens.join('.'))
  .filter(isPrefix)

describe('tokens', () => {
  test('are what the options call a name', () => {
    fc.assert(
      fc.property(fc.oneof(token, fc.string({ maxLength: 70 })), (text) => {
        expect(isToken(text)).toBe(nameSchema.safeParse(text).success)
      }),
    )
  })

  test.each(['', 'a.b', '*', '>', 'a b', 'a\n', 'ü', '$SYS', 'x'.repeat(65), 'a/b'])('refuse %j', (text) => {
    expect(isToken(text)).toBe(false)
  })

  test('that members may be called are what the options call a member', () => {
    fc.assert(
      fc.property(fc.oneof(token, fc.constantFrom('leader', 'events', 'members', 'admin')), (text) => {
        expect(isMemberName(text)).toBe(memberNameSchema.safeParse(text).success)
      }),
    )
  })

  test.each(['leader', 'events', 'members', 'admin'])(
    'refuse a member called %s, a word of the grammar',
    (name) => {
      expect(isMemberName(name)).toBe(false)
      expect(nameSchema.safeParse(name).success).toBe(true)
      expect(memberNameSchema.safeParse(name).error?.issues).toMatchObject([
        { message: expect.stringContaining('leader, events, members, admin') },
      ])
      expect(() => rpcSubjectHead('quorate', 'g', name, 'n1')).toThrow(name)
    },
  )
})

describe('subjects', () => {
  test('read as docs/protocol.md says', () => {
    expect(rpcSubjectHead('quorate', 'orders', 'n2', 'n1')).toBe('quorate.orders.n2.rpc.n1.')
    expect(adminSubject('quorate', 'orders', 'n2', 'status')).toBe('quorate.orders.n2.admin.status')
    expect(clientSubject('quorate', 'orders', 'n2', 'propose')).toBe('quorate.orders.n2.client.propose')
    expect(leaderSubject('quorate', 'orders', 'apply')).toBe('quorate.orders.leader.apply')
    expect(rpcSubscription('a.b', 'n1')).toBe('a.b.*.n1.rpc.>')
    expect(rpcAnswerHead('_INBOX_n1.x7Gq', 'n2')).toBe('_INBOX_n1.x7Gq.rpc.n2.')
  })

  test('come back as what they were made of', () => {
    fc.assert(
      fc.property(prefix, token, member, member, token, (head, group, to, from, method) => {
        expect(parseRpcSubject(head, rpcSubjectHead(head, group, to, from) + method)).toEqual({
          ...{ group, to, from, method },
        })
        for (const other of [
          adminSubject(head, group, to, method),
          clientSubject(head, group, to, method),
          leaderSubject(head, group, method),
        ])
          expect(parseRpcSubject(head, other)).toBeUndefined()
      }),
    )
  })

  test.each([
    'quorate',
    'quorate.',
    'quorate.g.n2.rpc.n1',
    'quorate.g.n2.rpc.n1.',
    'quorate.g.n2.rpc.n1.pre_vote.x',
    'quorate.g.n2.rcp.n1.pre_vote',
    'quorate..n2.rpc.n1.pre_vote',
    'quorate.g..rpc.n1.pre_vote',
    'quorate.g.n2.rpc..pre_vote',
    'quorate.g.leader.rpc.n1.pre_vote',
    'quorate2.g.n2.rpc.n1.pre_vote',
    'quoratexg.n2.rpc.n1.pre_vote',
    'other.g.n2.rpc.n1.pre_vote',
  ])('%s is no rpc subject', (subject) => {
    expect(parseRpcSubject('quorate', subject)).toBeUndefined()
  })

  test('never throw, whatever is read', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseRpcSubject('quorate', text)
        parseRpcSubject('quorate', `quorate.${text}`)
      }),
    )
  })

  test.each(['a.b', '*', '>', 'a b', ''])('cannot be built around the name %j', (name) => {
    expect(() => rpcSubjectHead('quorate', name, 'n2', 'n1')).toThrow(/Group/)
    expect(() => rpcSubjectHead('quorate', 'g', name, 'n1')).toThrow(/Member/)
    expect(() => leaderSubject('quorate', 'g', name)).toThrow(/Method/)
  })

  test.each(['', 'a..b', '.a', 'a.', 'a b', 'a.*', 'a.>'])('cannot be built on the prefix %j', (text) => {
    expect(() => rpcSubscription(text, 'n1')).toThrow(/prefix/)
  })
})

describe('the limits of names', () => {
  test.each([
    [63, true],
    [64, true],
    [65, false],
  ])('a name of %i letters: %s, in every place of a subject', (length, fits) => {
    const name = 'n'.repeat(length)
    expect([isToken(name), isMemberName(name)]).toEqual([fits, fits])
    const builders = [
      () => rpcSubjectHead('q', name, 'to', 'from'),
      () => rpcSubjectHead('q', 'g', name, 'from'),
      () => rpcSubjectHead('q', 'g', 'to', name),
      () => clientSubject('q', 'g', 'to', name),
    ]
    for (const build of builders) {
      if (fits) expect(build()).toContain(name)
      else expect(build).toThrow(/1 to 64/)
    }
    expect(parseRpcSubject('q', `q.${name}.to.rpc.from.m`) !== undefined).toBe(fits)
    expect(parseRpcSubject('q', `q.g.to.rpc.from.${name}`) !== undefined).toBe(fits)
  })

  test.each([
    [127, true],
    [128, true],
    [129, false],
  ])('a prefix of %i characters: %s', (length, fits) => {
    const text = `${'p'.repeat(60)}.${'q'.repeat(length - 61 - 5)}.rest`
    expect(text.length).toBe(length)
    expect(isPrefix(text)).toBe(fits)
    if (fits) expect(rpcSubscription(text, 'n1')).toBe(`${text}.*.n1.rpc.>`)
    else expect(() => rpcSubscription(text, 'n1')).toThrow(/128 characters/)
  })

  test('letters, digits, _ and - and no neighbor of theirs', () => {
    const allowed = Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code)).filter(isToken)
    expect(allowed.join('')).toBe('-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz')
  })
})

describe('what can be published to and listened on', () => {
  test.each<[string, boolean, boolean]>([
    ['', false, false],
    ['a', true, true],
    ['a.b', true, true],
    ['.a', false, false],
    ['a.', false, false],
    ['a..b', false, false],
    ['*', false, true],
    ['>', false, true],
    ['a.*', false, true],
    ['*.a', false, true],
    ['a.>', false, true],
    ['>.a', false, false],
    ['a.>.b', false, false],
    ['a.*.b', false, true],
    ['a.*b', true, true],
    ['a.b*', true, true],
    ['a.>b', true, true],
    ['a b', false, false],
    ['a\t', false, false],
    ['a\u001f', false, false],
    ['a!', true, true],
    ['a~', true, true],
    ['a\u007f', false, false],
    ['a\r\nPUB b 0', false, false],
  ])('%j: %s, %s', (subject, publish, subscribe) => {
    expect([isPublishSubject(subject), isSubscribeSubject(subject)]).toEqual([publish, subscribe])
  })
})
