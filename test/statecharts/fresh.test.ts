// `statecharts/` is what the machines say now: drawn by `npm run statecharts`, never by hand.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type AnyStateMachine, createMachine, StateMachine } from 'xstate'
import { charts } from '../../scripts/statecharts/charts.ts'
import { pictureOf, statechartFiles } from '../../scripts/statecharts/files.ts'
import { toLiteral } from '../../scripts/statecharts/literal.ts'
import { toMermaid } from '../../scripts/statecharts/mermaid.ts'
import { signatureOf } from '../../scripts/statecharts/pictures.ts'
import { rolesView } from '../../scripts/statecharts/roles.ts'
import {
  describeTransition,
  namesIn,
  pathOf,
  statesOf,
  transitionsOf,
} from '../../scripts/statecharts/walk.ts'

const directory = fileURLToPath(new URL('../../statecharts/', import.meta.url))
const files = statechartFiles()

describe('the folder', () => {
  it('holds exactly the files that are generated: run `npm run statecharts` when this fails', () => {
    const pictures = [...files.keys()].flatMap((name) => pictureOf(name) ?? [])
    expect(readdirSync(directory).sort()).toEqual([...files.keys(), ...pictures].sort())
  })

  it.each([...files.keys()])('%s is fresh: run `npm run statecharts` when this fails', (name) => {
    expect(readFileSync(directory + name, 'utf8')).toBe(files.get(name))
  })

  it.each([...files].filter(([name]) => pictureOf(name) !== null))(
    'the picture of %s is fresh: run `npm run statecharts` when this fails',
    (name, text) => {
      expect(readFileSync(directory + pictureOf(name), 'utf8').startsWith(signatureOf(text))).toBe(true)
    },
  )

  it('has every machine of src/actors', () => {
    const actors = fileURLToPath(new URL('../../src/actors/', import.meta.url))
    const machines = readdirSync(actors, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.machine.ts'),
    )
    expect(charts.map(({ source }) => source).sort()).toEqual(
      machines.map((name) => `src/actors/${name}`).sort(),
    )
  })
})

describe.each(charts.map((chart) => ({ name: chart.name, chart })))('the literal of $name', ({ chart }) => {
  /** What Stately Studio does with it, more or less. */
  function evaluate(): AnyStateMachine {
    const body = toLiteral(chart)
      .replace(/^import .*$/m, '')
      .replace(/export const \w+ = /, 'return ')
    const machine: unknown = new Function('createMachine', body)(createMachine)
    if (!(machine instanceof StateMachine)) throw new Error('the literal is no machine')
    return machine
  }
  const lines = (machine: AnyStateMachine) => statesOf(machine).flatMap(transitionsOf).map(describeTransition)

  it('is a machine with the same states, transitions and names', () => {
    const machine = evaluate()
    expect(statesOf(machine).map(pathOf)).toEqual(statesOf(chart.machine).map(pathOf))
    expect(lines(machine)).toEqual(lines(chart.machine))
    expect(namesIn(machine)).toEqual(namesIn(chart.machine))
  })
})

describe.each(charts.map(({ name, machine }) => ({ name, machine })))(
  'the drawing of $name',
  ({ machine }) => {
    const drawing = toMermaid(machine)
    const states = statesOf(machine).slice(1)

    it('shows every state, once', () => {
      for (const state of states) {
        const declared = drawing.match(
          new RegExp(`state "${state.key}" as ${state.path.join('_')}( \\{)?$`, 'gm'),
        )
        expect([pathOf(state), declared?.length]).toEqual([pathOf(state), 1])
      }
    })

    it('connects only what it shows, and closes what it opens', () => {
      const declared = new Set([...drawing.matchAll(/ as (\w+)/g)].map((match) => match[1]))
      const used = [...drawing.matchAll(/^\s*(\S+) --> (\S+)/gm)].flatMap((match) => [match[1], match[2]])
      expect(used.filter((id) => id !== '[*]' && !declared.has(id))).toEqual([])
      expect(drawing.match(/\{$/gm)?.length).toBe(drawing.match(/^\s*\}$/gm)?.length)
    })

    it('names every event that leads to another state', () => {
      for (const transition of states.flatMap(transitionsOf)) {
        if ((transition.target ?? []).length === 0) continue
        const event = transition.eventType.replace(/^xstate\.after\.([^.]+)\..*/, 'after $1')
        expect(drawing).toContain(event)
      }
    })
  },
)

describe('the roles in the words of Raft', () => {
  it('are the three roles, with their inner states and the ways between them', () => {
    const view = rolesView()
    for (const role of ['follower', 'candidate', 'leader']) expect(view).toContain(`state ${role} {`)
    for (const way of [
      'waiting --> preVoting',
      'persistingVote --> requestingVotes',
      'establishing --> serving',
      'follower --> candidate',
      'candidate --> leader',
      'candidate --> follower',
      'leader --> follower',
    ]) {
      expect(view).toContain(way)
    }
  })
})
