// The page in a real browser: the demo is opened, its leader killed, and the next one seen; every view, the keyboard, a narrow
// screen, a recording, and a server that goes away and comes back.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openShop } from '../../scripts/page/shop.ts'
import { withBrowser } from '../../scripts/statecharts/pictures.ts'
import { GroupModel } from '../../src/client/watch/group-model.ts'
import type { PageMessage, ReplayFrame } from '../../src/page/page-protocol.ts'
import { openPage } from '../../src/page/server/open-page.ts'
import type { PageSource } from '../../src/page/server/source.ts'
import { startCli } from '../cli/run-cli.ts'
import { pictureOf, statusOf } from './support/feed.ts'

const LONG = { timeout: 120_000 }
const built = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../dist/src/page/browser/${name}`, import.meta.url)))

/** What goes wrong in the page fails the test. */
async function open(browser: Browser, url: string, width = 1280): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 } })
  page.on('pageerror', (error) => wrong.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
      wrong.push(message.text())
  })
  await page.goto(url)
  return page
}

const wrong: string[] = []
const sentence = (page: Page): Promise<string | null> => page.textContent('.sentence')
/** A page draws with the next frame, and later on a busy machine: it is looked at until it shows what it should. */
const shown = <Found>(look: () => Promise<Found>) => expect.poll(look, { timeout: 30_000 })
const widthOf = (page: Page) => (): Promise<unknown> => page.evaluate('document.documentElement.scrollWidth')

async function serve(source: PageSource, port = 0) {
  const page = await openPage({ source, port })
  onTestFinished(() => page.close())
  return page
}

function sourceOf(model: GroupModel): PageSource {
  return { kind: 'bus', group: 'g', keeps: true, watch: () => ({ model, close: () => {} }) }
}

function groupOf(members: number): GroupModel {
  const model = new GroupModel('g', () => Date.now())
  for (let at = 1; at <= members; at++) {
    const peers = Array.from({ length: members }, (_, peer) => `n${peer + 1}`)
    const status = statusOf({ peers, role: at === 1 ? 'leader' : 'follower' })
    model.show(pictureOf(`n${at}`, { status, atMs: Date.now() }))
    const member = model.members.get(`n${at}`)
    if (member !== undefined) model.setState(member, 'live', null)
  }
  return model
}

test('the page needs no other place, and is small', () => {
  const files = ['index.html', 'page.js', 'page.css'].map(built)
  const bytes = files.reduce((sum, file) => sum + gzipSync(file).byteLength, 0)
  expect(bytes).toBeLessThan(150_000)
  for (const file of files) expect(file.toString()).not.toMatch(/(src|href|url)\s*[=(]\s*["']?https?:/)
})

describe('the demo on its page', LONG, () => {
  test('shows how a leader dies and another takes over, and lets members be crashed and brought back', async () => {
    const demo = startCli(['demo', '--watch'])
    await demo.until('It begins when you do.')
    const [url = ''] = /http:\S+/.exec(demo.stdout()) ?? []
    await withBrowser(async (browser) => {
      const page = await open(browser, url)
      await page.waitForSelector('.card.leader')
      await shown(() => sentence(page)).toMatch(/leads\. All 3 members agree/)
      // The story kills the leader by itself.
      const first = await page.getAttribute('.card.leader', 'aria-label')
      await page.waitForSelector('.card.dead')
      const [dead] = /^Member n\d/.exec(first ?? '') ?? ['-']
      await page.locator(`.card.dead[aria-label^="${dead}"]`).waitFor()
      await page.locator('.sentence', { hasText: 'took over from' }).waitFor()
      await page.locator('.card.dead').waitFor({ state: 'detached' })
      // Now the stage is ours.
      await page.getByText('The stage is yours').waitFor()
      const leader = (await page.getAttribute('.card.leader', 'aria-label'))?.split(/[ :]/)[1] ?? ''
      await page.getByRole('button', { name: `Pause ${leader}` }).click()
      await page.waitForSelector('.card.paused')
      await page.locator(`.card.leader:not([aria-label^="Member ${leader}:"])`).waitFor()
      await page.getByRole('button', { name: `Resume ${leader}` }).click()
      await page.locator('.card.follower').nth(1).waitFor()

      await page.getByRole('link', { name: 'Charts' }).click()
      await page.waitForSelector('[data-path="active.leader.serving"].active')
      await page.getByRole('link', { name: 'Timeline' }).click()
      await page.waitForSelector('.span.leader')
      await shown(() => page.getByText(/^Term \d+.*: n\d won$/).count()).toBe(1)
      await page.getByText('GRANTED').first().waitFor()
      await page.getByRole('link', { name: 'Numbers' }).click()
      await page.waitForSelector('.plot canvas')
      await page
        .getByRole('cell', { name: /^[\d.]+ \/ [\d.]+$/ })
        .first()
        .waitFor()
      await page.getByRole('button', { name: 'Term' }).click()
      await page.locator('th[aria-sort="ascending"]', { hasText: 'Term' }).waitFor()
      await page.getByRole('link', { name: 'Group' }).click()
      // Back to when the first one led.
      const slider = page.getByRole('slider', { name: 'Look back' })
      await slider.focus()
      for (let at = 0; at < 4; at++) await page.keyboard.press('ArrowLeft')
      await page.getByText(/You see \d\.\d s ago/).waitFor()
      await page.getByRole('button', { name: 'Back to now' }).click()
    })
    demo.child.kill('SIGINT')
    expect(await demo.finished).toMatchObject({ code: 0 })
    expect(demo.stdout()).toMatch(/\d+ writes were acknowledged; each of them is there\./)
    expect(wrong).toEqual([])
  })
})

describe('the page', LONG, () => {
  test('fits a narrow screen, and says in words what colors say', async () => {
    const { url } = await serve(sourceOf(groupOf(5)))
    await withBrowser(async (browser) => {
      const page = await open(browser, url, 390)
      await page.waitForSelector('.card.leader')
      for (const view of ['Group', 'Charts', 'Timeline', 'Numbers']) {
        await page.getByRole('link', { name: view }).click()
        await page.locator('nav a[aria-current="page"]', { hasText: view }).waitFor()
        await shown(widthOf(page)).toBe(390)
      }
      await page.getByRole('link', { name: 'Group' }).click()
      await shown(() => page.locator('.card .word').allTextContents()).toEqual([
        ...['Leader', 'Follower', 'Follower', 'Follower', 'Follower'],
      ])
      await page.getByRole('button', { name: /Show it/ }).click()
      await page.locator('html[data-theme="dark"]').waitFor()
    })
    expect(wrong).toEqual([])
  })

  test('says when its server is gone, and goes on when it is back', async () => {
    const model = groupOf(3)
    const first = await openPage({ source: sourceOf(model), port: 0 })
    await withBrowser(async (browser) => {
      const page = await open(browser, first.url)
      await page.waitForSelector('.card.leader')
      await first.close()
      await page.getByText('The program that serves this page is not heard.').waitFor()
    })
    model.setProblem('The bus is gone: it was switched off')
    const { url } = await serve(sourceOf(model))
    await withBrowser(async (browser) => {
      const page = await open(browser, url)
      await page.getByText('The bus is gone: it was switched off').waitFor()
      model.setProblem(null)
      await page.locator('.trouble').waitFor({ state: 'detached' })
    })
    expect(wrong).toEqual([])
  })

  test('stays usable with sixty members and with two hundred groups', async () => {
    const groups = Array.from({ length: 200 }, (_, at) => ({
      ...{ group: `g${at}`, members: 3, leader: 'n1', term: at, commitIndex: at * 10, lag: 0 },
    }))
    const model = groupOf(60)
    const source: PageSource = { ...sourceOf(model), group: null, groups: async () => groups }
    const { url } = await serve(source)
    await withBrowser(async (browser) => {
      const page = await open(browser, url)
      await page.getByRole('button', { name: 'g199' }).waitFor()
      await page.getByRole('searchbox').fill('g17')
      await page.getByText('11 of 200 groups').waitFor()
      await page.getByRole('button', { name: 'g17', exact: true }).click()
      await page.waitForSelector('.card.leader')
      await shown(() => page.locator('.card').count()).toBe(60)
    })
    expect(wrong).toEqual([])
  })

  test('shows instances of a replicated machine, and of the one that is chosen the chart as it moves', async () => {
    await using shop = await openShop()
    const { url } = await serve(shop.source)
    const keys = Array.from({ length: 80 }, (_, at) => `o${at}`)
    await Promise.all(keys.map((key) => shop.order(key).send({ type: 'add', amount: 1 })))
    await shop.order('paid').send({ type: 'add', amount: 4321 })
    await withBrowser(async (browser) => {
      const page = await open(browser, url, 390)
      await page.getByRole('link', { name: 'Instances' }).click()
      await page.getByText('81 instances; the 64 that changed last').waitFor()
      await page.getByRole('button', { name: 'o3', exact: true }).waitFor({ state: 'detached' })
      await page.getByRole('searchbox').fill('o3')
      await page.getByRole('button', { name: 'o3', exact: true }).click()
      await page.waitForSelector('[data-path="open"].active')
      await page.getByText(/^after patience: 23 h 59 min left$/).waitFor()
      await shop.order('o3').send({ type: 'pay' })
      await page.waitForSelector('[data-path="paying"].active')
      await page.getByText(/^job payment runs at n\d$/).waitFor()
      shop.pay()
      await page.waitForSelector('[data-path="paid"].active')
      await page.getByText('after payment is done').waitFor()
      await page.getByText('It has ended (done)').waitFor()
      await shown(widthOf(page)).toBe(390)
      await page.getByRole('searchbox').fill('nobody')
      await page.getByText('No instance has a key that begins like this.').waitFor()
      await shown(() => page.content()).not.toContain('4321')
    })
    expect((await fetch(`${url}instances?find=o3`)).status).toBe(200)
    expect((await fetch(`${url}instances?group=other&find=o3`)).status).toBe(400)
    expect(wrong).toEqual([])
  })

  test('plays a recording, by buttons and by keys', async () => {
    const frame = (atMs: number, message: PageMessage): string =>
      JSON.stringify({ atMs, message } satisfies ReplayFrame)
    const role = (from: string, to: string): PageMessage => {
      const status = statusOf({ role: to, peers: ['n1'] })
      const item = { kind: 'role' as const, from, to, term: 2, leader: null, reason: 'TIMEOUT', atMs: 500 }
      const head = { v: 1 as const, group: 'g', node: 'n1', boot: 'a', seq: 0, atMs: 500, dropped: 0 }
      return { kind: 'batch', batch: { ...head, items: [item, { kind: 'status', status, atMs: 500 }] } }
    }
    const lines = [
      frame(0, {
        kind: 'picture',
        picture: pictureOf('n1', { status: statusOf({ peers: ['n1'] }) }),
        restarts: 0,
      }),
      frame(0, { kind: 'member', id: 'n1', state: 'live', problem: null }),
      frame(500, role('follower', 'leader')),
      frame(60_000.389, { kind: 'note', text: 'INV-1 is broken', tone: 'broken', atMs: 60_000.389 }),
    ]
    const replay = async function* () {
      yield* lines
    }
    const { url } = await serve({ kind: 'replay', group: null, keeps: false, replay })
    await withBrowser(async (browser) => {
      const page = await open(browser, url)
      await page.getByRole('button', { name: 'Pause' }).click()
      await page.waitForSelector('.card')
      await page.locator('body').click({ position: { x: 5, y: 5 } })
      await page.getByRole('slider', { name: 'Moment' }).fill('100')
      await page.waitForSelector('.card.follower')
      await page.locator('#main').focus()
      await page.keyboard.press('ArrowRight')
      await page.waitForSelector('.card.leader')
      await page.keyboard.press('ArrowRight')
      await page.getByText('INV-1 is broken').waitFor()
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('ArrowLeft')
      await page.waitForSelector('.card.follower')
      await page.getByText('INV-1 is broken').waitFor({ state: 'detached' })
      const slider = page.getByRole('slider', { name: 'Moment' })
      await slider.fill((await slider.getAttribute('max')) ?? '')
      await page.getByText('INV-1 is broken').waitFor()
    })
    expect(wrong).toEqual([])
  })
})
