// One cleaner for a group of three members: it runs where leadership is, and what it cleans turns away whoever comes late.
import { openHost, type RaftNode } from 'quorate'
import { compareTokens, type FencingToken, type Leadership, runAsLeader } from 'quorate/xstate'
import { setup } from 'xstate'

/** Stands for what lies outside of the group: a bucket, a printer, a service of others. It remembers one token. */
export class Yard {
  readonly cleaned: string[] = []
  #newest: FencingToken = { term: 0, index: 0, run: 0 }

  clean(by: string, token: FencingToken): void {
    if (compareTokens(token, this.#newest) < 0) throw new Error(`${by} comes late: another one cleans here.`)
    this.#newest = token
    this.cleaned.push(by)
  }
}

interface Shift {
  readonly leadership: Leadership
  readonly by: string
  readonly yard: Yard
}

/** Cleans every 20 ms, until it is sent home. */
const cleaner = setup({
  types: { input: {} as Shift, context: {} as Shift, events: {} as { type: 'goHome' } },
  actions: { clean: ({ context: { yard, by, leadership } }) => yard.clean(by, leadership.token) },
}).createMachine({
  context: ({ input }) => input,
  initial: 'working',
  states: {
    working: { entry: 'clean', after: { 20: { target: 'working', reenter: true } }, on: { goHome: 'home' } },
    home: { type: 'final' },
  },
})

/** Lets two members clean, one after the other, and says what a third one hears who comes with an old token. */
export async function cleanInTurns(yard: Yard, directory: string): Promise<string> {
  const peers = ['n1', 'n2', 'n3']
  const hosts = await Promise.all(peers.map((id) => openHost({ id, dataDir: `${directory}/${id}` })))
  const tuning = { leaderLease: true, electionTimeoutMs: 500, maxClockDriftMs: 100 }
  const stateMachine = { apply: () => null }
  const nodes = await Promise.all(
    hosts.map((host) => host.startNode({ group: 'yard', peers, stateMachine, ...tuning })),
  )
  const begun = new Map<RaftNode, FencingToken>()
  let heard = (): void => {}
  for (const node of nodes)
    runAsLeader(node, cleaner, {
      input: (leadership) => ({ leadership, by: node.id, yard }),
      farewell: { type: 'goHome' }, // it may finish what it is doing before leadership moves
      onChange: ({ type, token }) => {
        if (type === 'started') begun.set(node, token)
        heard()
      },
    })
  const begins = (count: number): Promise<RaftNode> =>
    new Promise((resolve) => {
      heard = () => {
        const node = [...begun.keys()][count - 1]
        if (node !== undefined) resolve(node)
      }
      heard()
    })
  const first = await begins(1)
  await first.transferLeadership()
  await begins(2)
  const old = begun.get(first) ?? { term: 0, index: 0, run: 0 }
  await Promise.all(hosts.map((host) => host.close()))
  try {
    yard.clean(first.id, old) // a message of the first one that was long on its way
    return 'nobody noticed'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
