import { describe, test } from 'vitest'
import { snapshotCases } from '../../src/testing/snapshot-conformance.ts'
import { storageCases } from '../../src/testing/storage-conformance.ts'
import { makers } from './support.ts'

for (const { kind, make } of makers) {
  describe(`${kind} storage`, () => {
    for (const { name, run } of storageCases) test(name, () => run(make))
  })
}

for (const { kind, make } of makers) {
  describe(`snapshots of ${kind} storage`, () => {
    for (const { name, run } of snapshotCases) test(name, () => run(make))
  })
}
