// What the page says and draws, as functions: the sentence, the bars, the lanes, the charts, the steps of a recording.

import { describe, expect, test } from 'vitest'
import { MemberModel } from '../../src/client/watch/member-model.ts'
import type { TimelineEntry } from '../../src/client/watch/timeline.ts'
import { chartOf, isActive } from '../../src/page/browser/logic/chart-tree.ts'
import { headlineOf, leaderOf, NO_STORY, nextStory, number } from '../../src/page/browser/logic/headline.ts'
import { duration, eventInWords, statesInWords } from '../../src/page/browser/logic/instances.ts'
import { electionsOf, lanesOf } from '../../src/page/browser/logic/lanes.ts'
import { viewOf } from '../../src/page/browser/logic/member-view.ts'
import { Player } from '../../src/page/browser/logic/player.ts'
import { isLag, lagOf, ringOf, scaleOf, shareOf } from '../../src/page/browser/logic/ring.ts'
import { Series } from '../../src/page/browser/logic/series.ts'
import { nextOrder, sorted } from '../../src/page/browser/logic/table.ts'
import type { ReplayFrame, Sample } from '../../src/page/page-protocol.ts'
import { Samples } from '../../src/page/samples.ts'
import { pictureOf, statusOf, viewWith } from './support/feed.ts'

describe('the sentence', () => {
  const [n1, n2, n3] = [viewWith('n1', 'leader'), viewWith('n2', 'follower'), viewWith('n3', 'follower')]
  const dead = viewWith('n1', 'dead')
  test.each([
    ['nobody is seen', [], 'Looking for members …'],
    ['all is well', [n1, n2, n3], 'n1 leads. All 3 members agree up to entry 100.'],
    [
      'one is far behind',
      [viewWith('n1', 'leader', 12_345), viewWith('n2', 'follower', 12_345), n3],
      'n1 leads. 2 of 3 members agree up to entry 12,345. n3 is catching up.',
    ],
    [
      'one is gone',
      [n1, n2, viewWith('n3', 'dead')],
      'n1 leads. 2 of 3 members agree up to entry 100. n3 is not there.',
    ],
    [
      'the leader is gone',
      [dead, n2, n3],
      'n1, the leader, is gone. The others wait a moment for its heartbeat, then one of them asks for votes.',
    ],
    [
      'somebody stands',
      [dead, viewWith('n2', 'candidate'), n3],
      'n1, the leader, is gone. n2 asks the others for their votes.',
    ],
    ['all are gone', [dead, viewWith('n2', 'dead'), viewWith('n3', 'dead')], 'All members have stopped.'],
    [
      'there is no majority',
      [dead, viewWith('n2', 'paused'), n3],
      'n1, the leader, is gone. Only 1 of 3 voters are there and 2 are needed, so nobody can lead, and writes wait. Nothing is lost.',
    ],
  ])('when %s', (_, views, text) => {
    const story = nextStory(nextStory(NO_STORY, 'n1', 0), leaderOf(views), 1000)
    expect(headlineOf(views, story, 2000).text).toBe(text)
  })

  test('says who took over from whom, and how long that took, for a while', () => {
    let story = nextStory(NO_STORY, 'n1', 0)
    story = nextStory(story, null, 1000)
    story = nextStory(story, 'n2', 2900)
    const views = [dead, viewWith('n2', 'leader'), n3]
    expect(headlineOf(views, story, 3000).text).toMatch(/^n2 took over from n1 after 1\.9 s\./)
    expect(headlineOf(views, story, 60_000).text).toMatch(/^n2 leads\./)
    // The same one again is no take-over.
    const again = nextStory(nextStory(nextStory(NO_STORY, 'n1', 0), null, 10), 'n1', 20)
    expect(again.tookOver).toBe(null)
  })

  test('takes the newest term for the leader when two say that they lead', () => {
    expect(leaderOf([n1, { ...viewWith('n3', 'leader'), term: 2 }])).toBe('n3')
    expect(number(1_234_567)).toBe('1,234,567')
  })
})

describe('a member', () => {
  const member = new MemberModel('n1')
  member.show(pictureOf('n1', { status: statusOf({ role: 'leader', leaseValid: true }) }))
  member.state = 'live'
  test.each([
    ['running', 'leader'],
    ['crashed', 'dead'],
    ['paused', 'paused'],
  ] as const)('that is %s on the stage is %s', (state, condition) => {
    expect(viewOf(member, { id: 'n1', state, isCut: false }).condition).toBe(condition)
  })

  test('says what it is besides', () => {
    const view = viewOf(member, { id: 'n1', state: 'running', isCut: true })
    expect(view.marks).toEqual(['⚡ cut off', 'lease held'])
    const quiet = new MemberModel('n2')
    expect(viewOf(quiet, undefined)).toMatchObject({ condition: 'unknown', indexes: null })
    quiet.show(pictureOf('n2', { status: statusOf({ learners: ['n2'] }) }))
    quiet.state = 'live'
    expect(viewOf(quiet, undefined).condition).toBe('learner')
    quiet.state = 'silent'
    expect(viewOf(quiet, undefined).condition).toBe('silent')
  })
})

describe('the ring', () => {
  test('begins at the top and keeps everybody inside', () => {
    for (const count of [2, 3, 5, 9])
      for (const { x, y } of ringOf(count)) {
        expect(x).toBeGreaterThan(0.1)
        expect(x).toBeLessThan(0.9)
        expect(y).toBeGreaterThan(0.1)
        expect(y).toBeLessThan(0.9)
      }
    expect(ringOf(3)[0]).toMatchObject({ x: 0.5 })
  })

  test('shows lag in bars, and no lag where members were only looked at at different moments', () => {
    const views = [viewWith('n1', 'leader', 1000), viewWith('n2', 'follower', 900)]
    const scale = scaleOf(views)
    expect(shareOf(1000, scale)).toBe(1)
    expect(shareOf(900, scale)).toBeCloseTo(0.5)
    expect(lagOf(views[1]?.indexes ?? { last: 0, durable: 0, commit: 0, applied: 0 }, views)).toBe(100)
    expect([isLag(100, 0), isLag(100, 1000), isLag(10, null)]).toEqual([true, false, false])
  })
})

describe('the timeline', () => {
  const role = (member: string, from: string, to: string, term: number, atMs: number): TimelineEntry => ({
    ...{ kind: 'role', member, from, to, term, leader: null, reason: 'TIMEOUT', atMs },
  })
  const vote = (voter: string, granted: boolean, reason: string | null): TimelineEntry => ({
    ...{
      kind: 'vote',
      member: voter,
      candidate: 'n2',
      voter,
      term: 2,
      pre: false,
      granted,
      reason,
      atMs: 25,
    },
  })
  const sample = (member: string, role: string, atMs: number): Sample => ({
    ...{
      member,
      role,
      atMs,
      term: 1,
      leader: null,
      lastIndex: 1,
      durableIndex: 1,
      commitIndex: 1,
      appliedIndex: 1,
    },
  })

  test('has a lane for each member, with what it was from when to when', () => {
    const entries: TimelineEntry[] = [
      { kind: 'member', member: 'n1', state: 'ended', atMs: 20 },
      role('n2', 'follower', 'candidate', 2, 24),
      role('n2', 'candidate', 'leader', 2, 30),
    ]
    const samples = [sample('n1', 'leader', 0), sample('n1', 'leader', 10), sample('n2', 'follower', 0)]
    const lanes = lanesOf(['n1', 'n2'], entries, samples, { fromMs: 5, toMs: 50 })
    expect(lanes.map(({ spans }) => spans.map(({ what, fromMs, toMs }) => [what, fromMs, toMs]))).toEqual([
      [
        ['leader', 5, 20],
        ['gone', 20, 50],
      ],
      [
        ['follower', 5, 24],
        ['candidate', 24, 30],
        ['leader', 30, 50],
      ],
    ])
  })

  test("puts votes of a term together, the voter's own word before the candidate's", () => {
    const entries = [
      vote('n3', true, null),
      vote('n3', true, 'GRANTED'),
      vote('n1', false, 'LOG_BEHIND'),
      vote('n1', false, null),
    ]
    const [election] = electionsOf([...entries, role('n2', 'candidate', 'leader', 2, 30)])
    expect(election).toMatchObject({ term: 2, winner: 'n2', candidates: ['n2'], atMs: 25 })
    expect(election?.ballots.map(({ voter, granted, reason }) => [voter, granted, reason])).toEqual([
      ['n3', true, 'GRANTED'],
      ['n1', false, 'LOG_BEHIND'],
    ])
  })
})

describe('a chart', () => {
  const json = JSON.stringify({
    initial: 'a',
    states: {
      a: {
        on: { GO: 'b', STAY: { actions: 'x' }, MANY: [{ target: 'b', guard: 'g' }, { target: '#z' }] },
        after: { 100: 'b' },
      },
      b: { type: 'parallel', states: { p: {}, q: {} }, always: { target: 'c' } },
      c: { type: 'final' },
    },
  })
  test('is read from any machine, with its transitions', () => {
    const tree = chartOf(json)
    expect(tree?.children.map(({ key, type, isInitial }) => [key, type, isInitial])).toEqual([
      ['a', 'atomic', true],
      ['b', 'parallel', false],
      ['c', 'final', false],
    ])
    expect(tree?.children[0]?.transitions).toEqual([
      { event: 'GO', target: 'b' },
      { event: 'STAY', target: '' },
      { event: 'MANY', target: 'b' },
      { event: 'MANY', target: '#z' },
      { event: 'after 100', target: 'b' },
    ])
    expect(tree?.children[1]?.children.map(({ path }) => path)).toEqual(['b.p', 'b.q'])
    expect(tree?.children[1]?.transitions).toEqual([{ event: 'always', target: 'c' }])
  })

  test('has where it leads when something that was invoked has ended', () => {
    const invoke = { id: 'job', src: 'x', onDone: { target: 'b' }, onError: 'c' }
    expect(chartOf(JSON.stringify({ invoke: [invoke, { src: 'y', onDone: {} }] }))?.transitions).toEqual([
      { event: 'job is done', target: 'b' },
      { event: 'job has failed', target: 'c' },
      { event: 'y is done', target: '' },
    ])
  })

  test('is bounded, and none is made of what is no machine', () => {
    const wide = { states: Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`s${at}`, {}])) }
    expect(chartOf(JSON.stringify(wide))?.children.length).toBeLessThan(1000)
    expect([chartOf('{'), chartOf('[1]'), chartOf('null')]).toEqual([undefined, undefined, undefined])
    expect([isActive('a', 'a.b'), isActive('a', 'ab'), isActive('', 'x')]).toEqual([true, false, true])
  })
})

describe('a recording', () => {
  const frames = [0, 10, 10, 30].map(
    (atMs, at): ReplayFrame => ({ atMs, message: { kind: 'note', text: String(at), tone: 'step', atMs } }),
  )
  const texts = (shown: readonly ReplayFrame[]) =>
    shown.map(({ message }) => (message.kind === 'note' ? message.text : ''))

  test('is gone through in steps, forth and back', () => {
    const player = new Player(frames)
    expect(texts(player.seek(0).frames)).toEqual(['0'])
    expect(texts(player.step(1).frames)).toEqual(['1', '2'])
    expect(texts(player.step(1).frames)).toEqual(['3'])
    expect(player.isAtEnd).toBe(true)
    const back = player.step(-1)
    expect([back.isAnew, texts(back.frames), player.nowMs]).toEqual([true, ['0', '1', '2'], 10])
    expect(texts(player.step(-1).frames)).toEqual(['0'])
    expect(player.seek(1e9)).toMatchObject({ isAnew: false })
    expect(player.nowMs).toBe(30)
  })

  test('may be empty', () => {
    const player = new Player([])
    expect([player.seek(5).frames, player.step(-1).frames, player.isAtEnd]).toEqual([[], [], true])
  })
})

describe('numbers', () => {
  test('are rates over a second and a half, and nothing while nobody leads', () => {
    const series = new Series()
    for (let at = 0; at <= 6; at++) series.add([viewWith('n1', 'leader', at * 50)], at * 500)
    expect(series.rows.at(-1)).toMatchObject({ commitsPerSecond: 100 })
    expect(series.add([viewWith('n1', 'dead', 300)], 3100)).toBe(false)
    series.add([viewWith('n1', 'dead', 300)], 3600)
    expect(series.rows.at(-1)?.commitsPerSecond).toBe(null)
    for (let at = 10; at < 3000; at++) series.add([viewWith('n1', 'leader', 1)], at * 500)
    expect(series.rows.length).toBe(1200)
  })

  test('sort up and down, with what is not known at the end', () => {
    const rows = [
      { key: 'a', n: 2 },
      { key: 'b', n: null },
      { key: 'c', n: 10 },
    ]
    expect(sorted(rows, { by: 'n', isDown: false }).map(({ key }) => key)).toEqual(['a', 'c', 'b'])
    expect(nextOrder({ by: 'n', isDown: false }, 'n')).toEqual({ by: 'n', isDown: true })
    expect(sorted([{ key: 'n10' }, { key: 'n2' }], { by: 'key', isDown: false })[0]?.key).toBe('n2')
  })

  test('of the past are kept once a second, at each turn, and for ten minutes', () => {
    const samples = new Samples()
    for (let at = 0; at < 100; at++) samples.add('n1', statusOf(), at * 100)
    expect(samples.all.length).toBe(10)
    samples.add('n1', statusOf({ role: 'candidate' }), 9950)
    expect(samples.all.at(-1)?.role).toBe('candidate')
    samples.add('n1', statusOf(), 700_000)
    expect(samples.all.length).toBe(1)
  })
})

test('what moved an instance, and how long it waits, are in words', () => {
  const words = ['xstate.after.1500.order.a', 'xstate.after.patience.order.a', 'xstate.done.actor.pay', 'PAY']
  expect(words.map(eventInWords)).toEqual(['after 1.5 s', 'after patience', 'pay is done', 'PAY'])
  expect(['xstate.init', 'xstate.error.actor.pay'].map(eventInWords)).toEqual([
    'its creation',
    'pay has failed',
  ])
  const minute = 60_000
  const times = [90_000, 20 * minute, 60 * minute * 24 - 1, 60 * minute * 24, 60 * minute * 76]
  expect(times.map(duration)).toEqual(['90.0 s', '20 min', '23 h 59 min', '24 h', '3 d 4 h'])
  expect(statesInWords(['a.b', 'c'])).toBe('a › b + c')
})
