// Writes `statecharts/` anew: `npm run statecharts`.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { statechartFiles } from './statecharts/files.ts'

const directory = join(process.cwd(), 'statecharts')
const files = statechartFiles()
mkdirSync(directory, { recursive: true })
for (const name of readdirSync(directory))
  if (!files.has(name)) rmSync(join(directory, name), { recursive: true })
for (const [name, text] of files) writeFileSync(join(directory, name), text)
console.log(`${files.size} files in statecharts/`)
