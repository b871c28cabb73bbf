import { expect, test } from 'vitest'
import { countRemotely } from '../../examples/remote-client.ts'
import { read } from './support.ts'

test('the example with a client counts', async () => {
  expect(await countRemotely([40, 2])).toBe(42)
})

test('is named in README.md', () => expect(read('README.md')).toContain('(examples/remote-client.ts)'))
