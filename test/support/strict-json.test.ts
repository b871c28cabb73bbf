import { expect, test } from 'vitest'
import { parseStrictJson } from './strict-json.ts'

test.each([
  '{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}',
  '{"a":"a","b":"{\\"a\\":1,\\"a\\":2}"}',
  '["a","a"]',
  '1',
])('%s is taken', (text) => expect(parseStrictJson(text)).toEqual(JSON.parse(text)))

test.each(['{"a":1,"a":1}', '{"b":[{"a":1,"c":{},"a":2}]}', '{"a":{},"\\u0061":1}'])(
  '%s is refused',
  (text) => expect(() => parseStrictJson(text)).toThrow('The key a is there twice'),
)

test.each(['', '{', '{"a":1} {"b":2}'])('%j is no JSON', (text) => {
  expect(() => parseStrictJson(text)).toThrow(SyntaxError)
})
