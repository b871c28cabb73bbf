// The simulated disk without faults is a storage like the others. Virtual time is driven along with the event loop,
// because the cases wait for promises.

import { afterEach, describe, test } from 'vitest'
import { SimStorage } from '../../../src/simulation/disk/sim-storage.ts'
import { snapshotCases } from '../../../src/testing/snapshot-conformance.ts'
import { type StorageUnderTest, storageCases, written } from '../../../src/testing/storage-conformance.ts'
import { World } from '../support/world.ts'

let stopDriving = (): void => {}
afterEach(() => stopDriving())

let identities = 0

async function make(): Promise<StorageUnderTest> {
  const world = new World()
  const disk = world.disk('A', { misuse: 'refuse', identity: ++identities })
  const driver = setInterval(() => world.run(100), 0)
  stopDriving = () => clearInterval(driver)
  let storage = new SimStorage(disk, world.process('A'))
  return {
    storage,
    async reopen() {
      await written((done) => storage.close(done))
      storage = new SimStorage(disk, world.process('A'))
      return storage
    },
  }
}

describe('the simulated disk', () => {
  test.each([...storageCases, ...snapshotCases].map(({ name, run }) => [name, run] as const))(
    '%s',
    (_name, run) => run(make),
  )
})
