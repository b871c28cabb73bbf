// Where a page is served: the flags of all commands that serve one.

import { Option } from 'commander'
import { parseCount } from './common-options.ts'

export const portOption = (): Option =>
  new Option('--port <port>', 'of the page; 0: any that is free')
    .default(0)
    .argParser(parseCount('ports', 0, 65_535))

export const listenOption = (): Option =>
  new Option('--listen <address>', 'of the page: whoever reaches it needs its token').default('127.0.0.1')
