// The benchmark's command line: what nobody could measure is refused before anything is started.

import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { checkArguments } from '../../bench/arguments.ts'

function parsed(...args: string[]): unknown {
  const program = new Command('bench')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .option('--groups [n]', 'groups')
    .option('--clients <list>', 'clients', '1,64')
    .option('--seconds <s>', 'seconds', '4')
    .option('--dir <directory>', 'directory', '.')
    .option('--tuning <json>', 'options', '{}')
    .option('--report [file]', 'report')
    .option('--json', 'lines')
  checkArguments(program)
  return program.parse(args, { from: 'user' }).opts()
}

describe('the benchmark', () => {
  it('takes what it is told, as it is', () => {
    const defaults = { clients: '1,64', seconds: '4', dir: '.', tuning: '{}' }
    expect(parsed()).toEqual(defaults)
    expect(parsed('--groups')).toEqual({ ...defaults, groups: true })
    expect(parsed('--groups', '300', '--seconds', '0.5', '--json')).toEqual({
      ...{ ...defaults, groups: '300', seconds: '0.5', json: true },
    })
    expect(parsed('--report', 'x')).toMatchObject({ report: 'x' })
  })

  it.each([
    ['--groups', 'x', 'whole number'],
    ['--groups', '0', 'whole number'],
    ['--clients', '1,,2', 'comma separated'],
    ['--seconds', '-1', 'above 0'],
    ['--dir', '/nowhere/at/all', 'directory'],
    ['--tuning', '[]', 'JSON object'],
    ['--tuning', '{', 'JSON object'],
  ])('refuses %s %s: %s', (flag, text, words) => {
    expect(() => parsed(`${flag}=${text}`)).toThrow(words)
  })
})
