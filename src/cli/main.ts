#!/usr/bin/env node
// The `quorate` command: hears signals first, then loads all the rest.

import './signals.ts'

const { run } = await import('./program.ts')
await run()
