// Who may be handed leadership, and when (thesis section 3.10; traps T72, T80, T82).

import { describe, expect, it } from 'vitest'
import { type Heir, hasEverything, judgeTransfer, type TransferSituation } from '../../src/rules/transfer.ts'
import type { Configuration } from '../../src/rules/types.ts'

const GROUP: Configuration = {
  peers: ['a', 'b', 'c', 'w', 'z'],
  oldPeers: [],
  learners: ['l'],
  witnesses: ['w'],
  priorities: { z: 0 },
}
const heir = (peer: string, over: Partial<Heir> = {}): Heir => ({
  ...{ peer, matchIndex: 5, consecutiveErrors: 0, counts: true, silentMs: 0, isReadonly: false },
  ...over,
})
const ALL = ['b', 'c', 'w', 'z', 'l'].map((peer) => heir(peer))
const asked = (over: Partial<TransferSituation>): TransferSituation => ({
  ...{ configuration: GROUP, self: 'a', to: 'b', established: true, transferring: false, changing: false },
  ...{ heirs: ALL, electionTimeoutMs: 1000, drawn: 0 },
  ...over,
})

describe('a transfer', () => {
  it.each<[string, Partial<TransferSituation>, string]>([
    ['to a voter that answers begins', {}, 'start b'],
    ['to one that lags begins as well', { heirs: [heir('b', { matchIndex: 1 })] }, 'start b'],
    ['to the leader itself is done', { to: 'a', transferring: true, established: false }, 'leads'],
    [
      'to nobody in particular finds the best',
      { to: null, heirs: [heir('b'), heir('c', { matchIndex: 9 })] },
      'start c',
    ],
    [
      'finds nobody where nobody answers',
      { to: null, heirs: [heir('b', { consecutiveErrors: 1 })] },
      'NOBODY',
    ],
    [
      'never finds a witness, a learner or priority 0',
      { to: null, heirs: [heir('w'), heir('z'), heir('l')] },
      'NOBODY',
    ],
    ['waits for the first entry of the term (T72)', { established: false }, 'NOT_ESTABLISHED'],
    ['waits for another one', { transferring: true }, 'TRANSFERRING'],
    ['waits for a change of members (T82)', { changing: true }, 'CHANGING'],
    ['is refused to a stranger', { to: 'x' }, 'UNKNOWN'],
    ['is refused to a learner', { to: 'l' }, 'LEARNER'],
    ['is refused to a witness (T80)', { to: 'w' }, 'WITNESS'],
    ['is refused to priority 0', { to: 'z' }, 'NEVER_LEADS'],
    ['is refused to who fails', { heirs: [heir('b', { consecutiveErrors: 1 })] }, 'UNREACHABLE'],
    ['is refused to who is silent', { heirs: [heir('b', { silentMs: 1001 })] }, 'UNREACHABLE'],
    ['is refused to who is not sent anything', { heirs: [] }, 'UNREACHABLE'],
    ['is refused to who is read-only', { heirs: [heir('b', { isReadonly: true })] }, 'READONLY'],
    [
      'goes to who is read-only when nobody else is left to choose from',
      { to: null, heirs: [heir('b', { isReadonly: true })] },
      'start b',
    ],
    ['is refused to who has other files', { heirs: [heir('b', { counts: false })] }, 'NEWCOMER'],
  ])('%s', (_, over, expected) => {
    const verdict = judgeTransfer(asked(over))
    const said =
      verdict.kind === 'start' ? `start ${verdict.target}` : verdict.kind === 'refuse' ? verdict.why : 'leads'
    expect(said).toBe(expected)
  })

  it('tells the target when it has everything and everything is committed', () => {
    expect(hasEverything({ matchIndex: 7, lastIndex: 7, commitIndex: 7 })).toBe(true)
    expect(hasEverything({ matchIndex: 6, lastIndex: 7, commitIndex: 7 })).toBe(false)
    expect(hasEverything({ matchIndex: 7, lastIndex: 7, commitIndex: 6 })).toBe(false)
  })
})
