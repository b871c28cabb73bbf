// Takes the pictures of the page that the documentation shows, from the demo as it runs, and of instances from a shop:
// npm run pictures.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { openPage } from '../../src/page/server/open-page.ts'
import { withBrowser } from '../statecharts/pictures.ts'
import { openShop, type Shop } from './shop.ts'

const FOLDER = 'docs/pictures/'
const SIZE = { width: 1080, height: 700 }

async function take(page: Page, name: string): Promise<void> {
  // What moves is caught where it is.
  await page.screenshot({ path: `${FOLDER}${name}.png`, clip: { x: 0, y: 0, ...SIZE } })
  console.log(`${FOLDER}${name}.png`)
}

async function tour(page: Page): Promise<void> {
  await page.waitForSelector('.card.leader')
  await page.waitForTimeout(1500)
  await take(page, 'leader')
  await page.locator('.sentence', { hasText: 'took over from' }).waitFor()
  await page.waitForTimeout(700)
  await take(page, 'new-leader')
  await page.getByRole('link', { name: 'Charts' }).click()
  await page.waitForSelector('[data-path="active.leader.serving"].active')
  await take(page, 'charts')
  await page.getByRole('link', { name: 'Timeline' }).click()
  await page.waitForSelector('.span.leader')
  await take(page, 'timeline')
  await page.getByRole('link', { name: 'Numbers' }).click()
  await page.waitForTimeout(3000)
  await page.getByRole('button', { name: /Show it/ }).click()
  await page.waitForTimeout(300)
  await take(page, 'numbers')
  await page.getByRole('link', { name: 'Group' }).click()
  await page.locator('.card.leader').getByRole('button', { name: 'Crash' }).click()
  await page.locator('.sentence', { hasText: /nobody/i }).waitFor()
  await page.waitForTimeout(1000)
  await take(page, 'nobody-leads')
}

async function tourOfInstances(page: Page, { order, pay }: Shop): Promise<void> {
  await Promise.all(
    Array.from({ length: 400 }, (_, at) => order(`${4400 + at}`).send({ type: 'add', amount: 5 })),
  )
  for (const key of ['4711', '4712', '4750']) await order(key).send({ type: 'pay' })
  pay()
  await page.getByRole('link', { name: 'Instances' }).click()
  await page.getByRole('button', { name: '4712', exact: true }).click()
  await page.waitForSelector('[data-path="paying"].active')
  await order('4799').send({ type: 'add', amount: 7 })
  await page.waitForTimeout(700)
  await take(page, 'instances')
}

/** Arguments name the parts that are wanted: `demo`, `instances`. */
const isWanted = (part: string): boolean => process.argv.length < 3 || process.argv.includes(part)

mkdirSync(FOLDER, { recursive: true })
if (isWanted('instances')) {
  await using shop = await openShop()
  const { url, close } = await openPage({ source: shop.source, port: 0 })
  await withBrowser(async (browser) => {
    const page = await browser.newPage({ viewport: SIZE, colorScheme: 'dark' })
    await page.goto(url)
    await page.waitForSelector('.card.leader')
    await tourOfInstances(page, shop)
  })
  await close()
}
if (isWanted('demo')) await takeDemo()

async function takeDemo(): Promise<void> {
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
  const demo = spawn(process.execPath, [main, 'demo', '--watch'], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    let said = ''
    demo.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
    while (!said.includes('It begins when you do.')) await once(demo.stdout, 'data')
    const [url = ''] = /http:\S+/.exec(said) ?? []
    await withBrowser(async (browser) => {
      const page = await browser.newPage({ viewport: SIZE, colorScheme: 'dark' })
      await page.goto(url)
      await tour(page)
    })
  } finally {
    demo.kill('SIGINT')
    await once(demo, 'exit')
  }
}
