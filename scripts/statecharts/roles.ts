// The node's roles alone, in the words of Raft: picked by hand from the node's chart, drawn only where the chart has
// the transition. The picture to begin with.

import type { AnyStateNode } from 'xstate'
import { nodeMachine } from '../../src/actors/node/node.machine.ts'
import { drawEdge, labelOf } from './mermaid.ts'
import { pathOf, statesOf, transitionsOf } from './walk.ts'

interface Pick {
  /** Where the transition is written, what it waits for, and where it leads: all as in the chart. */
  readonly from: string
  readonly label: string
  readonly to: string
  /** Where the picture draws it, if not there, and what it says. */
  readonly drawn?: readonly [from: string, to: string]
  readonly says: string
}

const FOLLOWER = 'active.follower'
const CANDIDATE = 'active.candidate'
const LEADER = 'active.leader'

const PICKS: readonly Pick[] = [
  {
    from: `${FOLLOWER}.waiting`,
    label: 'timer.election [maySeekElection]',
    to: `${FOLLOWER}.preVoting`,
    says: 'no leader heard in time',
  },
  {
    from: `${FOLLOWER}.preVoting`,
    label: 'timer.election [maySeekElection]',
    to: `${FOLLOWER}.preVoting`,
    says: 'not enough yes',
  },
  {
    from: FOLLOWER,
    label: 'rpc.append_entries [senderIsNew]',
    to: `${FOLLOWER}.passive`,
    drawn: [`${FOLLOWER}.preVoting`, `${FOLLOWER}.waiting`],
    says: 'hears a leader, or votes',
  },
  {
    from: `${FOLLOWER}.preVoting`,
    label: '[preVoteIsWon]',
    to: `${FOLLOWER}.standing`,
    drawn: [FOLLOWER, CANDIDATE],
    says: 'a majority would say yes',
  },
  {
    from: FOLLOWER,
    label: 'rpc.timeout_now [followsTimeoutNow]',
    to: CANDIDATE,
    says: 'TimeoutNow: handed over',
  },
  {
    from: `${FOLLOWER}.passive`,
    label: '[electsItself]',
    to: `${FOLLOWER}.standing`,
    drawn: [FOLLOWER, CANDIDATE],
    says: 'group of one',
  },
  {
    from: `${CANDIDATE}.persistingVote`,
    label: 'hardState.durable [candidacyIsDurable]',
    to: `${CANDIDATE}.requestingVotes`,
    says: 'own vote is on disk',
  },
  {
    from: CANDIDATE,
    label: 'timer.vote [asksAgainOnVoteTimeout]',
    to: `${FOLLOWER}.preVoting`,
    drawn: [CANDIDATE, FOLLOWER],
    says: 'no majority in time',
  },
  {
    from: CANDIDATE,
    label: 'timer.vote',
    to: CANDIDATE,
    says: 'again, by option',
  },
  {
    from: `${CANDIDATE}.requestingVotes`,
    label: '[voteIsWon]',
    to: LEADER,
    drawn: [CANDIDATE, LEADER],
    says: 'majority of votes',
  },
  {
    from: `${LEADER}.establishing`,
    label: '[isEstablished]',
    to: `${LEADER}.serving`,
    says: 'first entry applied',
  },
  {
    from: LEADER,
    label: 'timer.stepDown [quorumIsLost]',
    to: FOLLOWER,
    says: 'check-quorum failed',
  },
  {
    from: 'active',
    label: 'term.higher [termIsHigher]',
    to: FOLLOWER,
    drawn: [LEADER, FOLLOWER],
    says: 'a higher term',
  },
  {
    from: 'active',
    label: 'rpc.append_entries',
    to: FOLLOWER,
    drawn: [CANDIDATE, FOLLOWER],
    says: 'a leader, or a higher term',
  },
]

/** @throws Error when the chart has no such transition any more. */
export function rolesView(): string {
  const states = new Map(statesOf(nodeMachine).map((state) => [pathOf(state), state]))
  const edges = new Map<string, { from: string; to: string; labels: string[] }>()
  for (const pick of PICKS) {
    check(pick, states)
    const [from, to] = pick.drawn ?? [pick.from, pick.to]
    const key = `${from} ${to}`
    const edge = edges.get(key) ?? { from: keyOf(from), to: keyOf(to), labels: [] }
    edges.set(key, edge)
    edge.labels.push(pick.says)
  }
  const inside = (role: string) =>
    [...edges]
      .filter(([key]) => key.split(' ').every((path) => path.startsWith(`${role}.`)))
      .map(([, edge]) => edge)
  const roles = [FOLLOWER, CANDIDATE, LEADER]
  const within = new Set(roles.flatMap(inside))
  return [
    'stateDiagram-v2',
    '  direction LR',
    `  [*] --> ${keyOf(FOLLOWER)} : log and term restored`,
    ...roles.flatMap((role) => [
      `  state ${keyOf(role)} {`,
      `    [*] --> ${firstOf(inside(role))}`,
      ...inside(role).map((edge) => `    ${drawEdge(edge.from, edge.to, edge.labels)}`),
      '  }',
    ]),
    ...[...edges.values()]
      .filter((edge) => !within.has(edge))
      .map((edge) => `  ${drawEdge(edge.from, edge.to, edge.labels)}`),
    '',
  ].join('\n')
}

function check({ from, label, to }: Pick, states: ReadonlyMap<string, AnyStateNode>): void {
  const source = states.get(from)
  const found =
    source !== undefined &&
    transitionsOf(source).some(
      (transition) =>
        labelOf(transition) === label &&
        (transition.target ?? []).some((target: AnyStateNode) => pathOf(target) === to),
    )
  if (!found)
    throw new Error(
      `The node's chart has no "${from} --${label}--> ${to}": see scripts/statecharts/roles.ts.`,
    )
}

function keyOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

function firstOf(edges: readonly { readonly from: string }[]): string {
  return edges[0]?.from ?? ''
}
