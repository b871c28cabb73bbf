// What pages, help and error texts call `quorate …` is a command that there is, with flags that it has.

import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { filesIn } from '../tidy/support/sources.ts'
import { read } from './support.ts'

const program = await createProgram()
const HEARD_BY_ALL = ['--help', '--version']

/** Why this call cannot be made; undefined when it can. `rest` is what stands behind `quorate` in its line. */
function complaintOf(rest: string): string | undefined {
  let command: Command = program
  const words = rest.trim().split(/\s+/)
  for (const word of words) {
    if (!/^[a-z][a-z-]*$/.test(word) || command.commands.length === 0) break
    const next = command.commands.find((each) => each.name() === word)
    if (next === undefined) return `there is no command ${word}`
    command = next
  }
  const flags = [...command.options.map(({ long }) => long), ...HEARD_BY_ALL]
  const strange = words.filter((word) => /^--[a-z]/.test(word)).find((word) => !flags.includes(word))
  return strange === undefined ? undefined : `${command.name()} has no flag ${strange}`
}

/** Everything that a text calls a command of ours. */
function callsIn(text: string): readonly string[] {
  return [...text.matchAll(/\bquorate +([a-z-][^\n`&|>;]*)/g)].map(([, rest = '']) =>
    rest.replace(/['"].*$/, ''),
  )
}

const PLACES = [
  'README.md',
  'CHANGELOG.md',
  'docs',
  'src',
  'bench',
  'tools',
  'scripts',
  'examples',
  'test/scenarios',
]
const called = filesIn(PLACES, /\.(md|ts|mjs)$/).flatMap((path) =>
  callsIn(read(path).replaceAll('\\n', '\n')).map((call) => ({ path, call, complaint: complaintOf(call) })),
)

describe('every `quorate …`', () => {
  test('in pages, help and messages is a command with these flags', () => {
    expect(called.length).toBeGreaterThan(40)
    expect(called.filter(({ complaint }) => complaint !== undefined)).toEqual([])
  })

  test('that there is, is shown in README.md', () => {
    const shown = callsIn(read('README.md'))
    // Hidden ones are for shells.
    for (const { name } of program
      .createHelp()
      .visibleCommands(program)
      .map((command) => ({ name: command.name() }))
      .filter((command) => command.name !== 'help'))
      expect(
        shown.some((call) => call.startsWith(name)),
        name,
      ).toBe(true)
  })

  test.each([
    ['fly', 'there is no command fly'],
    ['kv fly k', 'there is no command fly'],
    ['status --colour', 'status has no flag --colour'],
    ['kv put color blue --nats x', undefined],
    ['serve --id n1 --option a=b', undefined],
    ['--version', undefined],
  ])('the check itself judges `%s`', (call, complaint) => expect(complaintOf(call)).toBe(complaint))
})

describe('every command', () => {
  const leaves = (command: Command): readonly Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)

  /** What these print is a script for a shell, and what that script asks for. */
  const FOR_SHELLS = ['completion', 'complete']
  const talking = leaves(program).filter((command) => !FOR_SHELLS.includes(command.name()))

  test.each(talking.map((command) => [command.name(), command] as const))('%s has --json', (_, command) => {
    expect(command.options.map(({ long }) => long)).toContain('--json')
  })
})
