// For tests that are not about what is dropped.

import type { Drops } from '../../../src/transport/rpc/drops.ts'

export const ignoreDrops: Drops = { record: () => {} }
