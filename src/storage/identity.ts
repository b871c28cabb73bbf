// Where the identity of a member's files comes from (rules/identity.ts).

import { randomInt } from 'node:crypto'
import type { Identity } from '../rules/types.ts'

/** The largest range that Node draws from. */
const BEYOND_LARGEST = 2 ** 48 - 1

/** Never 0, which says "not known". Two directories draw the same one once in 2^48 times. */
export function drawIdentity(): Identity {
  return randomInt(1, BEYOND_LARGEST)
}
