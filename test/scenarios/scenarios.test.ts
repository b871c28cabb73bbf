// Runs every script beside it, and compares what it prints. REWRITE=1 writes the files again: read the difference.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ScenarioRunner } from './runner.ts'
import { commandsOf, parseScript, printScript } from './script.ts'

const folder = new URL('.', import.meta.url)
const rewrites = process.env.REWRITE === '1'
const scripts = readdirSync(folder).filter((name) => name.endsWith('.txt'))

test.each(scripts)('%s', async (name) => {
  const file = new URL(name, folder)
  const text = readFileSync(file, 'utf8')
  const runner = new ScenarioRunner()
  const blocks = parseScript(text)
  const printed = []
  for (const block of blocks) {
    const outputs: string[] = []
    for (const line of commandsOf(block)) {
      try {
        outputs.push(await runner.run(line))
      } catch (error) {
        throw new Error(`${name}:${block.line}: ${line}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        })
      }
    }
    printed.push({ ...block, expected: outputs.filter((output) => output !== '').join('\n') || 'ok' })
  }
  await runner.finish()
  if (rewrites) writeFileSync(file, printScript(printed))
  else expect(printScript(printed)).toBe(text)
})
