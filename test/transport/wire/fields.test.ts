// Fields that are checked by hand: the check and the schema say the same of every value.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { checkOf } from '../../../src/transport/wire/messages/fields.ts'
import { MESSAGES, RPC_METHODS } from '../../../src/transport/wire/messages/registry.ts'

const VALUES: readonly unknown[] = [
  ...[undefined, null, true, false, 0, -0, 1, 2, -1, 1.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53)],
  ...[Number.NaN, Number.POSITIVE_INFINITY, 1n, '', '1', 'n1', [], [1], {}, { length: 0 }, new Uint8Array(2)],
  ...[
    [[1, 1, 1]],
    [[1, 1, 0]],
    [[0, 1, 1]],
    [
      [2, 1, 1],
      [1, 1, 1],
    ],
    [[1, 99, 1]],
    [[1, 1]],
    [[1, 1, 1.5]],
  ],
  ...[
    [new Uint8Array(1)],
    [new Uint8Array(1), null],
    [Buffer.from('x')],
    new Array(20_000).fill(new Uint8Array(0)),
  ],
]

const FIELDS = RPC_METHODS.flatMap((method) =>
  [MESSAGES[method].request, MESSAGES[method].answer].flatMap(({ fields }, answers) =>
    Object.entries(fields).map(([name, field]) => ({
      name: `${method} ${answers ? 'answer' : 'request'} ${name}`,
      field,
    })),
  ),
)

describe('a field that is checked by hand', () => {
  const byHand = FIELDS.filter(({ field }) => checkOf(field) !== undefined)

  it('is every field of the messages that come with every command', () => {
    const names = byHand.map(({ name }) => name)
    const hot = FIELDS.filter(({ name }) => /^(append_entries|heartbeat) /.test(name)).map(({ name }) => name)
    expect(hot.length).toBeGreaterThan(10)
    expect(names).toEqual(expect.arrayContaining(hot))
  })

  it.each(byHand)('$name is judged as by its schema', ({ field }) => {
    for (const value of VALUES) {
      const parsed = z.safeParse(field, value)
      const isFine = checkOf(field)?.(value)
      // What is missing has a default, which the schema alone knows.
      if (value !== undefined) expect([value, isFine]).toEqual([value, parsed.success])
      else expect(isFine).toBe(false)
      if (isFine === true) expect(parsed.data).toBe(value)
    }
  })
})
