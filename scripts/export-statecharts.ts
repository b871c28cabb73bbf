// Writes `statecharts/` anew: `npm run statecharts`. Pictures are drawn again where what they show has changed.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pictureOf, statechartFiles } from './statecharts/files.ts'
import { drawMermaid, openMermaid, signatureOf, withBrowser } from './statecharts/pictures.ts'

const directory = join(process.cwd(), 'statecharts')
const files = statechartFiles()
const stale = [...files].filter(([name, text]) => {
  const picture = pictureOf(name)
  return picture !== null && !readIfThere(picture).startsWith(signatureOf(text))
})
const kept = new Set([...files.keys()].flatMap((name) => [name, pictureOf(name) ?? name]))
mkdirSync(directory, { recursive: true })
for (const name of readdirSync(directory))
  if (!kept.has(name)) rmSync(join(directory, name), { recursive: true })
for (const [name, text] of files) writeFileSync(join(directory, name), text)
if (stale.length > 0) await draw()
console.log(`${files.size} files in statecharts/, ${stale.length} pictures drawn`)

function readIfThere(name: string): string {
  const path = join(directory, name)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

async function draw(): Promise<void> {
  await withBrowser(async (browser) => {
    const page = await openMermaid(browser)
    for (const [name, text] of stale) {
      const picture = signatureOf(text) + (await drawMermaid(page, text))
      writeFileSync(join(directory, pictureOf(name) ?? name), picture)
    }
  })
}
