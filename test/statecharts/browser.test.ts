// The exported charts in a real browser: Mermaid draws them with every state in it, and what Stately Studio is given is a
// machine to XState there, too.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { charts } from '../../scripts/statecharts/charts.ts'
import { drawMermaid, openMermaid, withBrowser } from '../../scripts/statecharts/pictures.ts'
import { pathOf, statesOf } from '../../scripts/statecharts/walk.ts'

const require = createRequire(import.meta.url)
const directory = fileURLToPath(new URL('../../statecharts/', import.meta.url))
const read = (name: string): string => readFileSync(directory + name, 'utf8')

/** What a person reads in a picture. */
function wordsOf(svg: string): ReadonlySet<string> {
  const texts = [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/gs)].map(([, inner = '']) =>
    inner.replace(/<[^>]*>/g, '').trim(),
  )
  return new Set(texts)
}

describe('a browser', { timeout: 120_000 }, () => {
  it('draws every chart with all of its states, as the pictures have it', async () => {
    await withBrowser(async (browser) => {
      const page = await openMermaid(browser)
      for (const { name, machine } of charts) {
        const drawn = wordsOf(await drawMermaid(page, read(`${name}.mmd`)))
        const states = statesOf(machine)
          .slice(1)
          .map(({ key }) => key)
        expect([name, states.filter((state) => !drawn.has(state))]).toEqual([name, []])
        expect([name, [...wordsOf(read(`${name}.svg`))].sort()]).toEqual([name, [...drawn].sort()])
      }
    })
  })

  it('says no to text that is no chart', async () => {
    await withBrowser(async (browser) => {
      const page = await openMermaid(browser)
      await expect(drawMermaid(page, 'stateDiagram-v2\n  state { {')).rejects.toThrow()
    })
  })

  it('makes a machine with the same states of every literal', async () => {
    await withBrowser(async (browser) => {
      const page = await browser.newPage()
      await page.addScriptTag({
        path: join(dirname(require.resolve('xstate/package.json')), 'dist/xstate.umd.min.js'),
      })
      for (const { name, machine } of charts) {
        const literal = read(`${name}.stately.ts`)
          .replace(/^import .*$/m, '')
          .replace(/export const \w+ = /, 'return ')
        const paths: unknown = await page.evaluate(`(() => {
          const machine = new Function('createMachine', ${JSON.stringify(literal)})(XState.createMachine)
          return [...machine.idMap.values()].map(({ path }) => path.join('.')).sort()
        })()`)
        expect([name, paths]).toEqual([name, statesOf(machine).map(pathOf).sort()])
      }
    })
  })
})
