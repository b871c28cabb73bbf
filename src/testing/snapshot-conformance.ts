// What the snapshots of every Storage must do, as cases for any test runner. An author of a storage runs them all
// against their own, as the cases about its logs.

import { copying } from './snapshot-copying-cases.ts'
import { opening, reading } from './snapshot-reading-cases.ts'
import { saving } from './snapshot-saving-cases.ts'
import type { StorageCase } from './storage-conformance.ts'

export const snapshotCases: readonly StorageCase[] = [...saving, ...reading, ...copying, ...opening]
