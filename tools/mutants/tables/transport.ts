// Planted bugs in bytes, frames, subjects and calls between members.

import type { Mutant } from '../mutant.ts'

export const TRANSPORT_MUTANTS: readonly Mutant[] = [
  {
    name: 'byte strings of commands lent from the log',
    file: 'transport/wire/value-codec.ts',
    find: '  return decodeGated(valueCodec, givenMemory.copy(bytes), limits)',
    replace: '  return decodeGated(valueCodec, bytes, limits)',
    expect: ['INV-5'],
  },
]
