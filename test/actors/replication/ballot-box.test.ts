// The leader's count of acknowledgements (braft BallotBox, scenarios BL-04 and BL-05).

import { describe, expect, it } from 'vitest'
import { BallotBox } from '../../../src/actors/replication/ballot-box.ts'

/** Acknowledgements as they come in; the commit index after each of them. */
function commitsAfter(members: readonly string[], acks: readonly (readonly [string, number])[]): number[] {
  const box = new BallotBox(1)
  box.judgeBy({ peers: members, oldPeers: [] }, 1)
  const match = new Map<string, number>()
  let commit = 0
  return acks.map(([peer, upTo]) => {
    match.set(peer, Math.max(match.get(peer) ?? 0, upTo))
    commit = box.count(commit, 10_000, (name) => match.get(name) ?? 0)
    return commit
  })
}

describe('the ballot box', () => {
  it('BL-04: of three members, the second one decides', () => {
    const acks = [
      ['1', 100],
      ['1', 100],
      ['2', 50],
      ['3', 100],
    ] as const
    expect(commitsAfter(['1', '2', '3'], acks)).toEqual([0, 0, 50, 100])
  })

  it('BL-05: of four members, the third one decides', () => {
    const acks = [
      ['1', 100],
      ['1', 100],
      ['2', 50],
      ['3', 100],
      ['4', 100],
    ] as const
    expect(commitsAfter(['1', '2', '3', '4'], acks)).toEqual([0, 0, 0, 50, 100])
  })

  it('BL-04: an acknowledgement beyond the log commits no further than the log', () => {
    expect(
      commitsAfter(
        ['1', '2', '3'],
        [
          ['1', 99_999],
          ['2', 99_999],
        ],
      ).at(-1),
    ).toBe(10_000)
  })

  it('judges entries before a change by the members of their time, and later ones by the new ones', () => {
    const box = new BallotBox(1)
    box.judgeBy({ peers: ['a', 'b', 'c'], oldPeers: [] }, 1)
    box.judgeBy({ peers: ['a', 'd', 'e'], oldPeers: ['a', 'b', 'c'] }, 5)
    const match = new Map([
      ['a', 9],
      ['b', 9],
    ])
    const count = (commit: number) => box.count(commit, 9, (peer) => match.get(peer) ?? 0)
    expect(count(0)).toBe(4)
    match.set('d', 7)
    expect(count(4)).toBe(7)
    box.judgeBy({ peers: ['a', 'd', 'e'], oldPeers: [] }, 9)
    match.set('d', 9)
    expect(count(7)).toBe(9)
  })
})
