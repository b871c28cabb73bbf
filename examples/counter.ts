// A counter, after the first example of braft: fetch_and_add and get, and the value survives its leader. Run it with
// `npm run build && node dist/examples/counter.js`.
import { QuorateError, Refused, type StateMachine } from 'quorate'
import { withThreeMembers } from './three-members.ts'

export type CounterCommand = readonly ['fetch_and_add', by: number]

export class Counter implements StateMachine<CounterCommand, number | Refused, readonly ['get'], number> {
  #value = 0

  /** Answers the value as it was before. */
  apply([name, by]: CounterCommand): number | Refused {
    const next = this.#value + by
    if (name !== 'fetch_and_add' || !Number.isSafeInteger(next))
      return new Refused(new QuorateError('INVALID', 'A counter adds whole numbers, up to 2^53.'))
    const before = this.#value
    this.#value = next
    return before
  }

  read(): number {
    return this.#value
  }

  stateHash(): string {
    return String(this.#value)
  }

  snapshot(): unknown {
    return this.#value
  }

  restore(value: unknown): void {
    if (!Number.isSafeInteger(value)) throw new Error('the snapshot holds no count')
    this.#value = Number(value)
  }
}

/** Counts, gives the leadership to another member, and counts on. What to print. */
export function count(): Promise<string[]> {
  return withThreeMembers(
    'counter',
    () => new Counter(),
    async ({ client, nodes }) => {
      // In a session each command is carried out once, also when its answer is lost and it is sent again.
      const session = await client.session()
      const add = async (by: number): Promise<string> => {
        const { result } = await session.apply<number>(['fetch_and_add', by] satisfies CounterCommand)
        return `fetch_and_add ${by}: it was ${result}`
      }
      const lines = [await add(40)]
      const leader = nodes.find((node) => node.status().role === 'leader')
      await leader?.transferLeadership()
      lines.push('another member leads', await add(2))
      lines.push(`get: ${await client.read<number>(['get'])}`)
      await session.close()
      return lines
    },
  )
}

if (import.meta.filename === process.argv[1]) for (const line of await count()) console.log(line)
