// Registers by number with get, exchange and compare_exchange, after braft's atomic example. Run it with
// `npm run build && node dist/examples/atomic-register.js`.
import { QuorateError, Refused, type StateMachine } from 'quorate'
import { withThreeMembers } from './three-members.ts'

export type RegisterCommand =
  | readonly ['exchange', id: number, value: number]
  | readonly ['compare_exchange', id: number, expected: number, value: number]

/** A register that nobody has written to holds 0. */
export interface Exchanged {
  readonly before: number
  readonly exchanged: boolean
}

export class AtomicRegister
  implements StateMachine<RegisterCommand, Exchanged | Refused, readonly ['get', id: number], number>
{
  #values = new Map<number, number>()

  apply(command: RegisterCommand): Exchanged | Refused {
    const [name, id, ...numbers] = command
    // What is in the log may come from anybody: it is refused on all members alike.
    if (![id, ...numbers].every(Number.isSafeInteger))
      return new Refused(new QuorateError('INVALID', 'A register and what is in it are whole numbers.'))
    const before = this.#values.get(id) ?? 0
    const [expected, value] = name === 'exchange' ? [before, command[2]] : [command[2], command[3]]
    const exchanged = before === expected
    if (exchanged) this.#values.set(id, value)
    return { before, exchanged }
  }

  read([, id]: readonly ['get', id: number]): number {
    return this.#values.get(id) ?? 0
  }

  snapshot(): unknown {
    return [...this.#values]
  }

  restore(value: unknown): void {
    const pairs: readonly unknown[] = Array.isArray(value) ? value : []
    this.#values = new Map(
      pairs.map((pair) => (Array.isArray(pair) ? [Number(pair[0]), Number(pair[1])] : [0, 0])),
    )
  }
}

/** Two clients of one register: of those who expect the same value, one wins. What to print. */
export function race(): Promise<string[]> {
  return withThreeMembers(
    'registers',
    () => new AtomicRegister(),
    async ({ client }) => {
      const apply = async (command: RegisterCommand): Promise<Exchanged> =>
        (await client.apply<Exchanged>(command)).result
      const { before } = await apply(['exchange', 7, 1])
      const lines = [`exchange 1: it was ${before}`]
      const tries = await Promise.all([2, 3].map((value) => apply(['compare_exchange', 7, 1, value])))
      lines.push(`of two that expected 1, ${tries.filter(({ exchanged }) => exchanged).length} wrote`)
      lines.push(`get: ${await client.read<number>(['get', 7])}`)
      return lines
    },
  )
}

if (import.meta.filename === process.argv[1]) for (const line of await race()) console.log(line)
