// `quorate serve --machine` takes a module whose default export is a machine of XState.

import { expect, it } from 'vitest'
import { loadStateMachine } from '../../src/cli/serve/machine-loader.ts'
import { rejection } from '../host/support/world.ts'

const fixture = (name: string): string => `test/replicated/fixtures/${name}.machine.mjs`

it('a machine is replicated', async () => {
  const door = await loadStateMachine(fixture('door'))
  const at = { index: 1, term: 1, timeMs: 0 }
  expect(await door.apply(['event', 'front', { type: 'open' }], at)).toMatchObject({ accepted: true })
  expect(door.read?.(['get', 'front'])).toMatchObject({ value: 'opened' })
})

it('one that cannot be is refused with the file and the reason', async () => {
  expect(String(await rejection(loadStateMachine(fixture('old'))))).toMatch(
    /The state machine .*old\.machine\.mjs cannot be used: Machine old cannot be replicated: it has no version/,
  )
})

it('one whose module throws while it is loaded is refused with the file and what was thrown', async () => {
  expect(String(await rejection(loadStateMachine(fixture('throwing'))))).toMatch(
    /The state machine .*throwing\.machine\.mjs cannot be used: the door is not there/,
  )
})
