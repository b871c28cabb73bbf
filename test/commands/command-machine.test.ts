// What stands between a node and its state machine, without a node: time that never goes back, results that come later.

import { describe, expect, test } from 'vitest'
import { CommandMachine } from '../../src/commands/command-machine.ts'
import { QuorateError } from '../../src/errors.ts'
import { Refused, type StateMachine } from '../../src/state-machine.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { openEnvelope, sealCommand } from '../../src/transport/wire/envelope.ts'

/** What is put off to the end of the turn. */
const later: (() => void)[] = []
const clock = { nowMs: () => 100, wallMs: () => 5000, defer: (run: () => void) => void later.push(run) }
const around = (inner: StateMachine) => new CommandMachine(inner, { clock, replayedTo: () => 0 })

describe('a command machine', () => {
  test('gives times that never go back, though the stamps of two leaders cross', () => {
    const seen: unknown[] = []
    const machine = around({ apply: (_, at) => seen.push(at.timeMs) })
    for (const [index, timeMs] of [1000, 990, 1005, 1].entries())
      machine.apply('x', { index, term: 1, timeMs })
    expect(seen).toEqual([1000, 1000, 1005, 1005])
  })

  test('tells once in a turn that the answer may be another one, however many commands it had and whoever follows', () => {
    const machine = around({ apply: () => null, read: () => null })
    const told: string[] = []
    const stops = ['a', 'b'].map((name) => machine.follow(name, () => void told.push(name)))
    const turn = (): void => {
      for (let index = 1; index <= 1000; index++) machine.apply('x', at(index))
      for (const run of later.splice(0)) run()
    }
    turn()
    expect(told).toEqual(['a', 'b'])
    turn()
    expect(told).toEqual(['a', 'b', 'a', 'b'])
    for (const stop of stops) stop()
    turn()
    expect(told).toHaveLength(4)
    expect(later).toEqual([])
  })

  test('keeps also what a machine answers later', async () => {
    let calls = 0
    const machine = around({ apply: async () => ++calls })
    const session = Number(machine.apply(null, { ...at(7), session: mark(0, 60_000) }))
    expect(await machine.apply('x', { ...at(8), session: mark(session, 1) })).toBe(1)
    expect(await machine.apply('x', { ...at(9), session: mark(session, 1) })).toBe(1)
    expect(calls).toBe(1)
  })

  test('keeps a refusal as it was, with what is true of the command', () => {
    const error = new QuorateError('CONFLICT', 'Not so.', { outcome: 'applied' })
    const machine = around({ apply: () => new Refused(error) })
    const session = Number(machine.apply(null, { ...at(7), session: mark(0, 60_000) }))
    machine.apply('x', { ...at(8), session: mark(session, 1) })
    const again = machine.apply('x', { ...at(9), session: mark(session, 1) })
    expect(again).toMatchObject({ error: { code: 'CONFLICT', message: 'Not so.', outcome: 'applied' } })
  })

  test('seals bare commands for a machine that wants the time, and stamps them when the leader takes them', () => {
    const bare = encodeValue('x')
    expect(around({ apply: () => null }).prepare(bare)).toBe(bare)
    const machine = around({ apply: () => null, wantsTime: true })
    const sealed = machine.prepare(bare)
    machine.stamp(sealed)
    expect(openEnvelope(sealed)).toMatchObject({ timeMs: 5000, session: null, trace: null })
    const own = sealCommand(bare, { session: mark(3, 4) })
    expect(machine.prepare(own)).toBe(own)
    machine.stamp(bare)
    expect(bare).toEqual(encodeValue('x'))
  })
})

const at = (index: number) => ({ index, term: 1, timeMs: 1000 })

function mark(session: number, sequence: number) {
  return { session, sequence, acknowledged: 0 }
}
