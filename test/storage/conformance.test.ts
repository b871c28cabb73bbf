import { describe, test } from 'vitest'
import { storageCases } from '../../src/testing/storage-conformance.ts'
import { makers } from './support.ts'

for (const { kind, make } of makers) {
  describe(`${kind} storage`, () => {
    for (const { name, run } of storageCases) test(name, () => run(make))
  })
}
