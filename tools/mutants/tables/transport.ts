// Planted bugs in the transport, by what they are about.

import type { Mutant } from '../mutant.ts'
import { BUS_MUTANTS } from './transport/bus.ts'
import { BYTE_MUTANTS } from './transport/bytes.ts'
import { CALL_MUTANTS } from './transport/calls.ts'
import { MESSAGE_MUTANTS } from './transport/messages.ts'

export const TRANSPORT_MUTANTS: readonly Mutant[] = [
  ...CALL_MUTANTS,
  ...MESSAGE_MUTANTS,
  ...BYTE_MUTANTS,
  ...BUS_MUTANTS,
]
