import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sell } from '../../examples/replicate.ts'
import { linksOf, read } from './support.ts'

const PAGE = 'docs/replicated-machines.md'

test('the example pays one order after another', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-orders-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  expect(await sell(directory, '4711', 40)).toMatch(/^40 paid by orders\/4711\/payment\/\d+$/)
  expect(await sell(directory, '4712', 2)).toMatch(/^2 paid by orders\/4712\/payment\/\d+$/)
})

test.each(['examples/order-machine.ts', 'examples/replicate.ts'])('the page shows %s as it is', (path) => {
  expect(read(PAGE)).toContain(`\`\`\`ts\n${read(path)}\`\`\``)
})

test('each guarantee names tests that are there', () => {
  const references = linksOf(read(PAGE)).filter(({ text }) => text.includes(' › '))
  expect(references.length).toBeGreaterThan(15)
  for (const { text, target } of references) {
    const [, title = ''] = text.split(' › ')
    expect(read(target.replace('../', '')), title).toContain(title)
  }
})
