// Scripted runs for bugs that no drawn fault reaches. Each throws InvariantViolation when the bug is there.

import { Simulation } from '../../src/simulation/simulation.ts'

const OPTIONS = { electionTimeoutMs: 300, maxClockDriftMs: 100 } as const
const NODES = ['A', 'B', 'C'] as const

/** A member loses its record of term and vote, but not its log: it must not vote again in its last term (ND-13). */
async function lostMeta(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: NODES, options: OPTIONS })
  await sim.until(() => sim.leader() !== null)
  const client = sim.client()
  client.start({ op: 'put', key: 'k', value: 'v' }, 'readIndex', () => {})
  await sim.run(1000)
  const follower = NODES.find((id) => id !== sim.leader() && sim.durable(id).votedFor !== null)
  if (follower === undefined) return
  sim.powerLoss(follower)
  sim.loseMeta(follower)
  sim.restart(follower)
  await sim.run(3000)
  sim.check()
}

async function lead(sim: Simulation, id: string): Promise<void> {
  const others = sim.hold({ kind: 'prevote', from: sim.nodes.filter((node) => node !== id) })
  await sim.until(() => sim.leader() === id, 10_000)
  others.drop()
  others.end()
}

/**
 * A leader and one follower have a long tail that nobody else has, and lose it to another leader. What the follower
 * said then counts for nothing when the first one leads again, over a shorter log.
 */
async function secondLeadership(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: ['A', 'B', 'C', 'D', 'E'], options: OPTIONS })
  await lead(sim, 'A')
  await sim.run(1000)
  for (const one of ['A', 'B']) for (const other of ['C', 'D', 'E']) sim.cut(one, other)
  for (let i = 0; i < 20; i++) void sim.propose('A', ['put', 'k', String(i)])
  await sim.until(() => !['A', null].includes(sim.leader()))
  sim.heal()
  const lasts = (): Set<number> => new Set(sim.nodes.map((id) => sim.node(id).status().lastIndex))
  await sim.until(() => lasts().size === 1 && sim.leader() !== null)
  await sim.run(1000)
  const successor = sim.leader()
  if (successor === null || successor === 'A') return
  sim.isolate(successor)
  const silent = ['C', 'D', 'E'].find((id) => id !== successor) ?? ''
  const appends = [sim.hold({ kind: 'append', to: 'B' }), sim.hold({ kind: 'append', to: silent })]
  await lead(sim, 'A')
  await sim.run(1000)
  for (const hold of appends) hold.end()
  sim.check()
}

/** A voter that has answered a leader dies, comes back at once, and is asked by somebody who no longer hears that leader. */
async function restartedVoter(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: NODES, options: { leaderLease: true } })
  await lead(sim, 'A')
  await sim.run(1000)
  sim.cut('A', 'C')
  const asked = sim.hold({ kind: 'prevote', from: 'C', to: 'B' })
  await sim.until(() => asked.messages.length > 0)
  sim.crash('B')
  sim.cut('A', 'B')
  sim.restart('B')
  await sim.run(50)
  asked.release()
  asked.end()
  await sim.run(1000)
  sim.check()
}

/** A request for votes is late: its voter follows another leader by then, of an earlier term, and owes it its vote. */
async function latePoll(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: NODES, options: { leaderLease: true } })
  const votes = sim.hold({ kind: 'vote', from: 'C' })
  const others = sim.hold({ kind: 'prevote', from: ['A', 'B'] })
  const entries = sim.hold({ kind: 'append', from: 'A' })
  sim.cut('A', 'C')
  await sim.until(() => sim.node('C').status().term >= 3)
  others.end()
  await sim.until(() => sim.node('A').status().role === 'leader')
  await sim.run(300)
  votes.release()
  await sim.run(200)
  entries.release()
  for (const hold of [votes, entries]) hold.end()
  await sim.run(1000)
  sim.check()
}

/** A member's disk is so slow that its records of three terms become durable at once, and with them what waited for each. */
async function slowRecords(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: ['A', 'B', 'C', 'D', 'E'], options: OPTIONS })
  await lead(sim, 'A')
  await sim.run(1000)
  const slow = sim.disk('B').holdSync('meta')
  for (const [next, last] of [
    ['C', 'A'],
    ['A', 'C'],
    ['C', 'A'],
  ] as const) {
    sim.isolate(last)
    await lead(sim, next)
    await sim.run(300)
    sim.heal()
    await sim.run(1000)
  }
  slow.release()
  await sim.run(1000)
  sim.check()
}

/** Votes of one candidacy arrive in the next one of the same member, in which nobody has voted for it. */
async function oldVotes(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: ['A', 'B', 'C', 'D', 'E'], options: OPTIONS })
  sim.hold({ kind: 'prevote', from: ['A', 'B', 'D', 'E'] })
  const answers = sim.hold({ kind: 'voteAck', to: 'C' })
  await sim.until(() => answers.messages.length >= 3)
  sim.hold({ kind: 'vote', from: 'C' })
  const { term } = sim.node('C').status()
  await sim.until(() => sim.node('C').status().term > term && sim.node('C').status().role === 'candidate')
  await sim.run(20)
  answers.release()
  await sim.run(500)
  sim.check()
}

/** A deposed leader has a long tail of its old term, the others a short log of a newer one, which is committed. */
async function longOldTail(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: NODES, options: OPTIONS })
  await lead(sim, 'A')
  await sim.run(1000)
  sim.isolate('A')
  for (let i = 0; i < 10; i++) void sim.propose('A', ['put', 'k', String(i)])
  await lead(sim, 'B')
  await sim.run(1000)
  sim.heal()
  sim.isolate('B')
  await lead(sim, 'A')
  await sim.run(1000)
  sim.check()
}

/**
 * The clock of a leader nearly stands still, so that it does not notice that it has lost its office. An earlier read has
 * begun a round, and some of the answers to it come late: after another leader has committed, and a new read was asked.
 */
async function readBesideOldAnswers(seed: number, nodes: readonly string[], late: string[]): Promise<void> {
  const sim = new Simulation({ seed, nodes, options: OPTIONS })
  await lead(sim, 'A')
  await sim.propose('A', ['put', 'x', '1'])
  await sim.run(500)
  sim.clock('A', { rate: 0.001 })
  const answers = sim.hold({ kind: 'heartbeatAck', from: late, to: 'A' })
  void sim.query('A', ['get', 'x'])
  await sim.run(20)
  answers.end()
  for (const kind of ['append', 'heartbeat', 'vote', 'prevote', 'heartbeatAck'] as const)
    sim.hold({ kind, from: nodes.slice(1), to: 'A' })
  await lead(sim, 'B')
  await sim.propose('B', ['put', 'x', '2'])
  void sim.query('A', ['get', 'x'])
  await sim.run(10)
  answers.release()
  await sim.run(100)
  sim.check()
}

const readInAnOldRound = (seed: number): Promise<void> => readBesideOldAnswers(seed, NODES, ['B', 'C'])
const readAfterAnOldRound = (seed: number): Promise<void> =>
  readBesideOldAnswers(seed, ['A', 'B', 'C', 'D', 'E'], ['D', 'E'])

/** A leader that does not notice, on the side of a minority: what its one follower confirms is not enough for a read. */
async function readOfAMinority(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: ['A', 'B', 'C', 'D', 'E'], options: OPTIONS })
  await lead(sim, 'A')
  await sim.propose('A', ['put', 'x', '1'])
  await sim.run(500)
  sim.clock('A', { rate: 0.001 })
  for (const one of ['A', 'E']) for (const other of ['B', 'C', 'D']) sim.cut(one, other)
  await lead(sim, 'B')
  await sim.propose('B', ['put', 'x', '2'])
  void sim.query('A', ['get', 'x'])
  await sim.run(200)
  sim.check()
}

/** A leader loses its office in the middle of a round. Who asked for the read must hear of it. */
async function readAtTheEnd(seed: number): Promise<void> {
  const sim = new Simulation({ seed, nodes: NODES, options: OPTIONS })
  await lead(sim, 'A')
  await sim.run(500)
  sim.isolate('A')
  void sim.query('A', ['get', 'x'])
  await sim.run(2000)
  sim.heal()
  await sim.run(1000)
  sim.checker?.finish('A')
}

/**
 * A request for votes reaches a voter in the very moment in which its promise to the old leader ends: whoever looks at
 * the clock twice for one verdict sees the promise first, and then none.
 */
async function leaseEndsMeanwhile(seed: number): Promise<void> {
  for (let lateMs = 30; lateMs < 70; lateMs++) {
    const sim = new Simulation({
      seed,
      nodes: ['A', 'B', 'C', 'D', 'E'],
      options: { ...OPTIONS, leaderLease: true, maxElectionDelayMs: 1 },
      link: { latency: { shape: 'constant', ms: 1 } },
      lookMs: 2,
    })
    await lead(sim, 'A')
    await sim.run(1000)
    sim.hold({ kind: 'prevote', from: ['B', 'D', 'E'] })
    const votes = sim.hold({ kind: 'vote', to: 'B' })
    for (const kind of ['append', 'heartbeat'] as const) sim.hold({ kind, from: ['C', 'D', 'E'], to: 'B' })
    // B hears A for a while longer than the others do, and owes it its vote when they have elected somebody else.
    for (const other of ['C', 'D', 'E']) sim.cut('A', other)
    await sim.run(100)
    sim.cut('A', 'B')
    await sim.until(() => votes.messages.length > 0, 1000)
    await sim.run(lateMs)
    votes.release()
    await sim.run(300)
    sim.check()
  }
}

const SCENARIOS = {
  leaseEndsMeanwhile,
  readOfAMinority,
  readAtTheEnd,
  readInAnOldRound,
  readAfterAnOldRound,
  lostMeta,
  secondLeadership,
  restartedVoter,
  latePoll,
  slowRecords,
  oldVotes,
  longOldTail,
} as const
export type ScenarioName = keyof typeof SCENARIOS
export const SCENARIO_NAMES = Object.keys(SCENARIOS).filter((name): name is ScenarioName => name in SCENARIOS)

export function runScenario(name: ScenarioName, seed: number): Promise<void> {
  return SCENARIOS[name](seed)
}
