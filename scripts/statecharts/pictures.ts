// Draws Mermaid in a real browser, as pages that show it do, and says on each picture what it was drawn from.

import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'
import { chromiumAdvice, findChromium } from '../find-chromium.mjs'

const require = createRequire(import.meta.url)

/** Dark pages are no reason to draw black on black. */
const BACKGROUND = 'background-color: white;'

/** @throws when there is no Chromium: the sentence says how to get one. */
export async function withBrowser<T>(use: (browser: Browser) => Promise<T>): Promise<T> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error(chromiumAdvice)
  // Its sandbox wants rights that containers do not give; it only ever sees what is written here.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  try {
    return await use(browser)
  } finally {
    await browser.close()
  }
}

/** A page without a network, with Mermaid in it. */
export async function openMermaid(browser: Browser): Promise<Page> {
  const page = await browser.newPage()
  await page.route('**', (route) => route.abort())
  await page.setContent('<body></body>')
  await page.addScriptTag({ path: require.resolve('mermaid/dist/mermaid.min.js') })
  return page
}

/** The drawing as SVG. @throws what Mermaid says of text that it does not take. */
export async function drawMermaid(page: Page, text: string): Promise<string> {
  const script = `(async (text) => {
    mermaid.initialize({
      startOnLoad: false, theme: 'neutral', htmlLabels: false, flowchart: { htmlLabels: false }, deterministicIds: true,
    })
    return (await mermaid.render('chart', text)).svg
  })(${JSON.stringify(text)})`
  const svg = await page.evaluate<string>(script)
  return svg.replace('style="', `style="${BACKGROUND} `)
}

/** What a picture is made of: changes when, and only when, its text does. */
export function signatureOf(text: string): string {
  return `<!-- drawn by npm run statecharts from ${createHash('sha256').update(text).digest('hex').slice(0, 16)} -->\n`
}
