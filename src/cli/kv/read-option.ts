// How fresh an answer must be, for all commands that ask.

import { Option } from 'commander'

export const readOption = (): Option =>
  new Option('--read <level>', 'how fresh it must be')
    .choices(['linearizable', 'lease', 'local'])
    .default('linearizable')
