// Reads along at every member of a simulated group what is applied, and holds the instances against it when all is over.

import { expect } from 'vitest'
import type { AnyStateMachine } from 'xstate'
import { encodeValue } from '../../../src/transport/wire/codec.ts'
import type { Replicated } from '../../../src/xstate.ts'
import type { Kind } from './kinds.ts'

interface Entry {
  readonly command: readonly unknown[]
  /** Of the log: never less than before. */
  readonly timeMs: number
  readonly verdict: string
  readonly isDone: boolean
}

type Machine = Replicated<AnyStateMachine>

export class Judge {
  /** The one that each member has now. */
  readonly current = new Map<string, Machine>()
  readonly #machines: Machine[] = []
  readonly #log = new Map<number, Entry>()
  readonly #acknowledged = new Map<string, number[]>()

  /** One life of a member: it is read along with. */
  watch(machine: Machine): Machine {
    const apply = machine.apply.bind(machine)
    let timeMs = 0
    machine.apply = (command, at) => {
      timeMs = Math.max(timeMs, at.timeMs ?? 0, this.#log.get(at.index - 1)?.timeMs ?? 0)
      const returned = apply(command, at)
      this.#note(at.index, {
        ...{ command: Array.isArray(command) ? command : [] },
        timeMs,
        ...toldBy(returned),
      })
      return returned
    }
    const start = machine.onStart?.bind(machine)
    machine.onStart = (port) => {
      this.current.set(port.id, machine)
      start?.(port)
    }
    this.#machines.push(machine)
    return machine
  }

  acknowledged(key: string, n: number): void {
    this.#acknowledged.set(key, [...(this.#acknowledged.get(key) ?? []), n])
  }

  /** What the context of each instance has under a name. */
  notes(id: string, name: string): readonly unknown[] {
    const machine = this.current.get(id)
    const keys = machine?.read?.(['keys', 0, 1000])
    const all = Array.isArray(keys) ? keys.map(String) : []
    return all.map((key) => Object(machine?.read?.(['get', key])).context[name])
  }

  /** When all is at rest. Returns how many timers fired, and how many jobs and durable actions ended. */
  verdict(kind: Kind, ids: readonly string[]): { fired: number; ended: number } {
    const members = ids.flatMap((id) => this.current.get(id) ?? [])
    expect(members).toHaveLength(ids.length)
    expect(new Set(members.map((machine) => machine.stateHash?.())).size).toBe(1)
    expect(this.#machines.flatMap(({ divergence }) => divergence ?? [])).toEqual([])
    const keys = members[0]?.read?.(['keys', 0, 1000])
    for (const key of Array.isArray(keys) ? keys.map(String) : []) this.#judge(key, members[0])
    const fired = [...this.#entries('fire')].map(([index, entry]) => this.#timerOf(kind, index, entry))
    expect(fired.length).toBe(new Set(fired).size)
    const ended = [...this.#entries('done'), ...this.#entries('failed')]
    const names = ended.map(([, { command }]) => command.slice(1, 4).join(' '))
    expect(names.length).toBe(new Set(names).size)
    return { fired: fired.length, ended: names.length }
  }

  /** What an instance has noted is what the log says of it, and nothing waits any more. */
  #judge(key: string, machine: Machine | undefined): void {
    expect(machine?.read?.(['pending', key]), key).toEqual({ timers: {}, jobs: {} })
    const { context } = Object(machine?.read?.(['get', key]))
    const heard: number[] = context.heard
    expect(heard.length, `an event of ${key} counts twice`).toBe(new Set(heard).size)
    const accepted = this.#acceptedOf(key)
    expect(heard, `what ${key} has heard is what was accepted, in order`).toEqual(accepted)
    const acknowledged = this.#acknowledged.get(key) ?? []
    expect(
      acknowledged.filter((n) => !heard.includes(n)),
      `events of ${key} are lost`,
    ).toEqual([])
    if (context.results === undefined) return
    const results = [...this.#entries('done'), ...this.#entries('failed')].filter(
      ([, { command }]) => command[1] === key && !String(command[2]).includes('#'),
    )
    expect(context.results, `each result of ${key} counts once`).toBe(results.length)
  }

  #acceptedOf(key: string): number[] {
    const events = [...this.#entries('event')].filter(([, { command }]) => command[1] === key)
    return events
      .filter(([, { verdict }]) => verdict.includes('"accepted":true'))
      .map(([, { command }]) => Number(Object(command[2]).n))
  }

  /** Which timer fired, by name. Never early: counted from the entry that armed it. */
  #timerOf({ delays }: Kind, index: number, { command, timeMs }: Entry): string {
    const [, key, id, armedAt] = command
    const delayMs = Object.entries(delays).find(([name]) => String(id).startsWith(name))?.[1]
    if (delayMs === undefined) throw new Error(`nobody has armed ${id}`)
    const armed = this.#log.get(Number(armedAt))
    expect(timeMs - (armed?.timeMs ?? 0), `${id} of ${key} at ${index}`).toBeGreaterThanOrEqual(delayMs)
    return `${key} ${id} ${armedAt}`
  }

  /** Those that were carried out. */
  *#entries(name: string): Generator<[number, Entry]> {
    for (const [index, entry] of this.#log)
      if (entry.isDone && entry.command[0] === name) yield [index, entry]
  }

  /** Every member, in every life of it, comes to the same verdict. */
  #note(index: number, entry: Entry): void {
    const before = this.#log.get(index)
    if (before === undefined) this.#log.set(index, entry)
    else expect([index, entry.verdict]).toEqual([index, before.verdict])
  }
}

function toldBy(returned: unknown): Pick<Entry, 'verdict' | 'isDone'> {
  const plain = Object(returned)
  const isDone = plain.ok === true
  // In the order of its bytes, so that two members cannot differ in what JSON leaves out.
  const bytes = isDone ? Buffer.from(encodeValue(returned)).toString('base64') : ''
  return { verdict: `${JSON.stringify(returned)} ${bytes}`, isDone }
}
