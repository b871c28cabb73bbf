// Actions that are marked as durable: kept with the state until they have ended, whatever becomes of the leader.

import { describe, expect, it } from 'vitest'
import { assign, createMachine, setup } from 'xstate'
import { type OldInstance, type ReplicateOptions, replicate } from '../../src/xstate.ts'
import { rejection } from '../host/support/world.ts'
import { Group, save, turn } from './support/group.ts'
import { Mail, shopMachine } from './support/receipts.ts'

type Shop = ReturnType<typeof shopMachine>
const DURABLE = { maxIterations: 100, durable: ['sendReceipt', 'sendFarewell'] }

async function shopOf(options: ReplicateOptions<Shop> = {}, ids = ['a', 'b', 'c']) {
  const mails = new Map<string, Mail>()
  const group = new Group<Shop>((id) => {
    const mail = new Mail()
    mails.set(id, mail)
    return replicate(shopMachine(mail), { ...DURABLE, ...options })
  }, ids)
  const mail = (id: string): Mail => mails.get(id) ?? new Mail()
  group.lead('a')
  await turn()
  const pending = (id = 'b', key = 'x') => group.member(id).machine.read?.(['pending', key])
  return { group, mail, pending, shop: group.at('a').actor('x') }
}

const names = (mail: Mail): string[] => mail.sent.map(({ name }) => name)
const waits = (): Promise<never> => new Promise(() => {})

describe('a durable action', () => {
  it('is kept until it has ended, runs at the leader alone, and has its event, its params and a name', async () => {
    const { group, mail, pending, shop } = await shopOf()
    let end: (value: unknown) => void = () => {}
    mail('a').answer = ({ name }) =>
      name === 'sendReceipt' ? new Promise((resolve) => (end = resolve)) : undefined
    const { index } = await shop.send({ type: 'sell', to: 'Ada' })
    const by = `orders/x/sendReceipt#${index}.0/${index}`
    expect(mail('a').sent[0]).toEqual({
      ...{ name: 'sendReceipt', by, event: { type: 'sell', to: 'Ada' }, params: { to: 'Ada' } },
    })
    const action = { failures: 0, dueAtMs: expect.any(Number) }
    expect(pending()).toEqual({
      ...{ timers: {}, jobs: { [`sendReceipt#${index}.0`]: { armedAt: index, src: 'sendReceipt', action } } },
    })
    end('what it returns is of no use')
    await turn()
    expect(pending()).toEqual({ timers: {}, jobs: {} })
    expect(group.log).toHaveLength(index + 1)
    expect(['a', 'b', 'c'].map((id) => names(mail(id)))).toEqual([['sendReceipt', 'ring'], [], []])
    expect(group.hashes().size).toBe(1)
  })

  it('that has not ended is performed by the next leader, under the same name, and ends once', async () => {
    const { group, mail, pending, shop } = await shopOf()
    mail('a').answer = waits
    mail('b').answer = () => undefined
    const { index } = await shop.send({ type: 'sell', to: 'Ada' })
    group.kill('a')
    group.lead('b')
    await turn()
    expect(mail('b').sent).toEqual(mail('a').sent.filter(({ name }) => name === 'sendReceipt'))
    expect(pending('c')).toEqual({ timers: {}, jobs: {} })
    const again = await group.propose(['done', 'x', `sendReceipt#${index}.0`, index, {}])
    expect(again.result).toMatchObject({ ok: false, code: 'STALE' })
    group.lead('c')
    await turn()
    expect(mail('c').sent).toEqual([])
    expect(group.hashes().size).toBe(1)
  })

  it('outlives the end of its instance, and two of one name are two', async () => {
    const { group, mail, pending, shop } = await shopOf()
    mail('a').answer = waits
    expect((await shop.send({ type: 'close' })).snapshot.status).toBe('done')
    expect(mail('a').sent.map(({ by }) => by)).toEqual([
      'orders/x/sendFarewell#2.0/2',
      'orders/x/sendFarewell#2.1/2',
    ])
    group.lead('b')
    await turn()
    expect(names(mail('b'))).toEqual(['sendFarewell', 'sendFarewell'])
    expect(pending('c')).toEqual({ timers: {}, jobs: {} })
    expect(group.hashes().size).toBe(1)
  })

  it('that fails is tried again, later each time by the time of the log, and given up after ten times', async () => {
    const { group, mail, pending, shop } = await shopOf()
    const at: number[] = []
    mail('a').answer = ({ name }) => {
      if (name === 'ring') return
      at.push(group.clock.nowMs())
      throw new Error('the post is closed')
    }
    await shop.send({ type: 'sell', to: 'Ada' })
    await group.clock.advance(300_000)
    const waited = at.slice(1).map((atMs, i) => atMs - (at[i] ?? 0))
    expect(waited).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000))
    expect(new Set(mail('a').sent.map(({ by }) => by)).size).toBe(2)
    expect(pending()).toEqual({ timers: {}, jobs: {} })
    expect((await shop.send({ type: 'close' })).snapshot.status).toBe('done')
    expect(group.hashes().size).toBe(1)
  })

  it('that failed waits under the next leader, too, and a failure that is said twice counts once', async () => {
    const { group, mail, pending, shop } = await shopOf()
    mail('a').answer = async ({ name }) => {
      if (name !== 'ring') throw new Error('the post is closed')
    }
    const { index } = await shop.send({ type: 'sell', to: 'Ada' })
    await turn()
    const id = `sendReceipt#${index}.0`
    const twice = await group.propose(['missed', 'x', id, index, 0, { message: 'the post is closed' }])
    expect(twice.result).toMatchObject({ ok: false, code: 'STALE' })
    expect(pending('c')).toMatchObject({ jobs: { [id]: { action: { failures: 1 } } } })
    group.kill('a')
    group.lead('b')
    await group.clock.advance(900)
    expect(mail('b').sent).toEqual([])
    await group.clock.advance(200)
    expect(names(mail('b'))).toEqual(['sendReceipt'])
    expect(pending('c')).toEqual({ timers: {}, jobs: {} })
  })

  it('that takes longer than jobs may has failed', async () => {
    const { group, mail, pending, shop } = await shopOf({ jobTimeoutMs: 500 })
    mail('a').answer = waits
    const { index } = await shop.send({ type: 'sell', to: 'Ada' })
    await group.clock.advance(501)
    const action = { failures: 1, dueAtMs: expect.any(Number) }
    expect(pending()).toMatchObject({ jobs: { [`sendReceipt#${index}.0`]: { action } } })
  })

  it('is in snapshots with all that it is called with', async () => {
    const { group, mail, shop } = await shopOf()
    mail('a').answer = waits
    await shop.send({ type: 'sell', to: 'Ada', memo: { gift: undefined, lines: [1, 2] } })
    await shop.send({ type: 'close' })
    const saved = await save(group.member('b'))
    await group.startFrom('d', saved)
    group.start('replayed')
    expect(group.hashes().size).toBe(1)
    for (const id of ['a', 'b', 'c']) group.kill(id)
    group.lead('d')
    await turn()
    const sent = (id: string) => mail(id).sent.filter(({ name }) => name !== 'ring')
    expect(sent('d')).toEqual(sent('a'))
    expect(sent('d')[0]?.event).toStrictEqual({ type: 'sell', to: 'Ada', memo: { lines: [1, 2] } })
  })

  it('is one of a hundred that may wait: the event that would bring one more is not applied', async () => {
    const { mail, group, shop } = await shopOf({ compareEvery: 0 }, ['a'])
    mail('a').answer = waits
    for (let i = 0; i < 100; i += 1) await shop.send({ type: 'sell', to: 'Ada' })
    const error = await rejection(shop.send({ type: 'sell', to: 'Ada' }))
    expect(error).toMatchObject({ code: 'STATE_MACHINE', outcome: 'not-applied' })
    expect(String(error)).toContain('100 durable actions of it have not ended yet')
    expect(mail('a').sent.filter(({ name }) => name === 'sendReceipt')).toHaveLength(100)
    expect((await group.at('a').actor('y').send({ type: 'sell', to: 'Bob' })).accepted).toBe(true)
  })

  it('whose event cannot be kept is refused with the event', async () => {
    const machine = setup({
      types: { events: {} as { type: 'go' } },
      actions: { tell: (_, _params: unknown) => {} },
    }).createMachine({
      version: '1',
      on: { go: { actions: { type: 'tell', params: () => ({ at: new Date(0) }) } } },
    })
    const group = new Group(() => replicate(machine, { maxIterations: 10, durable: ['tell'] }))
    group.lead('a')
    const error = await rejection(group.at('a').actor('x').send({ type: 'go' }))
    expect(String(error)).toMatch(/the state cannot be kept: .*params\.at.*Date/)
    expect(group.hashes().size).toBe(1)
  })
})

describe('what is to be durable', () => {
  const machine = setup({
    actions: {
      count: assign({ n: 1 }),
      tell: () => {},
      peep: ({ context }) => void context,
    },
  }).createMachine({ version: '1', context: { n: 0 }, entry: function inline() {} })

  it.each<[string, unknown, RegExp]>([
    [
      'nobody implements',
      ['sendReceipt'],
      /sendReceipt is to be durable, but nobody implements it: add it to/,
    ],
    ['is on every object', ['toString'], /toString is to be durable, but nobody implements it/],
    [
      'every member carries out',
      ['count'],
      /action count is to be durable, but is carried out on every member/,
    ],
    [
      'asks for the context',
      ['peep'],
      /durable action peep uses context, .* give it what it needs as params/,
    ],
    ['is a function', [() => {}], /durable.*must be the name of an action, as text/],
    ['is named twice', ['tell', 'tell'], /must not name an action twice/],
  ])('and %s is refused', (_, durable, message) => {
    expect(() => replicate(machine, { maxIterations: 10, durable: Object(durable) })).toThrow(message)
  })

  it('and stands in the machine as a function is refused', () => {
    const tell = (): void => {}
    const inline = createMachine({ version: '1', entry: tell }, { actions: { tell } })
    expect(() => replicate(inline, { maxIterations: 10, durable: ['tell'] })).toThrow(
      /tell is to be durable, but the machine has it as a function: name it by its text, 'tell'/,
    )
  })

  it('belongs to the definition: a member that marks others is one of another group', async () => {
    const { group, shop } = await shopOf()
    await shop.send({ type: 'sell', to: 'Ada' })
    const other = new Group<Shop>(
      (id) =>
        replicate(shopMachine(new Mail()), {
          ...DURABLE,
          durable: id === 'b' ? ['sendReceipt'] : DURABLE.durable,
        }),
      ['a'],
    )
    other.lead('a')
    await turn()
    expect(() => other.start('b')).toThrow(/another definition of machine shop version 1/)
    expect(() => group.start('d')).not.toThrow()
  })

  it('is called without a context, whichever way it asks', async () => {
    const seen: unknown[] = []
    const asking = setup({
      types: { events: {} as { type: 'go' } },
      actions: {
        ask: (all) => {
          try {
            seen.push(all.context)
          } catch (error) {
            seen.push(String(error))
          }
        },
      },
    }).createMachine({ version: '1', on: { go: { actions: 'ask' } } })
    const group = new Group(() => replicate(asking, { maxIterations: 10, durable: ['ask'] }))
    group.lead('a')
    await group.at('a').actor('x').send({ type: 'go' })
    expect(seen).toEqual([expect.stringContaining('A durable action has no context')])
  })
})

describe('an upgrade', () => {
  /** A group with a receipt that was not sent, whose members carry the next version. */
  async function rolled(durable: string[], migrate = (old: OldInstance): OldInstance => old) {
    const mail = new Mail()
    mail.answer = waits
    const previous = { machine: shopMachine(mail), durable: DURABLE.durable, migrate }
    let isNew = false
    const group = new Group<Shop>(() =>
      isNew
        ? replicate(shopMachine(mail, '2'), { maxIterations: 100, durable, previous })
        : replicate(shopMachine(mail), DURABLE),
    )
    group.lead('a')
    const { index } = await group.at('a').actor('x').send({ type: 'sell', to: 'Ada' })
    isNew = true
    for (const id of ['a', 'b', 'c']) {
      group.kill(id)
      group.start(id)
    }
    group.lead('c')
    await turn()
    mail.sent.length = 0
    const { machine } = group.member('c')
    const upgrade = () =>
      machine.upgrade({ apply: (command) => group.propose(command), read: async () => null })
    return { group, mail, upgrade, id: `sendReceipt#${index}.0`, index }
  }

  it('takes over what has not ended, under its name; `migrate` sees it among the jobs', async () => {
    const seen: unknown[] = []
    const { group, mail, upgrade, id, index } = await rolled(DURABLE.durable, (old) => {
      seen.push(old.jobs)
      const change = ([key, job]: [string, object]) => [key, { ...job, input: { event: 'old', params: 1 } }]
      return { ...old, jobs: Object.fromEntries(Object.entries(old.jobs).map(change)) }
    })
    await upgrade()
    const input = { event: { type: 'sell', to: 'Ada' }, params: { to: 'Ada' } }
    expect(seen[0]).toEqual({ [id]: { src: 'sendReceipt', isAction: true, input } })
    expect(mail.sent).toEqual([
      { name: 'sendReceipt', by: `orders/x/${id}/${index}`, event: 'old', params: 1 },
    ])
    expect(group.hashes().size).toBe(1)
  })

  it('is refused while something has not ended that the new version does not have', async () => {
    const { upgrade, group } = await rolled(['sendFarewell'])
    expect(String(await rejection(upgrade()))).toMatch(
      /cannot take over instance x: durable action sendReceipt has not ended, and the new version does not/,
    )
    expect(group.member('a').machine.version).toBe('1')
  })
})
