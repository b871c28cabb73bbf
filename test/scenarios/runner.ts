// The words of scenario scripts (test/scenarios/README.md lists them), each a thin layer over `quorate/testing`.

import { tuningSchema } from '../../src/options.ts'
import {
  type CrashPoint,
  createSimulation,
  type DamagePlace,
  type FailPoint,
  type FailTimes,
  type Hold,
  type MessageKind,
  type Release,
  type Simulation,
  type StoreName,
} from '../../src/testing.ts'
import { machineNamed } from './machines.ts'
import { wishOf } from './wishes.ts'
import {
  answerLine,
  changeLine,
  diskLine,
  fieldsOf,
  leadershipLine,
  memberLine,
  membersLine,
  messageLine,
} from './words.ts'

interface Call {
  /** The line that it prints in the end. */
  readonly promise: Promise<string>
  settled: boolean
}
type Named = Hold | Release | Call
type Fields = Readonly<Record<string, string>>

export class ScenarioRunner {
  #sim: Simulation | null = null
  readonly #names = new Map<string, Named>()

  /** Runs one line. @returns what it prints; empty when there is nothing to say. */
  async run(line: string): Promise<string> {
    const named = /^(\w+) = (.*)$/.exec(line)
    const words = (named?.[2] ?? line).split(/\s+/)
    const fields = Object.fromEntries(
      words.filter((word) => /^\w+=/.test(word)).map((word) => [word.split('=')[0], word.split('=')[1]]),
    )
    const [verb = '', ...args] = words.filter((word) => !/^\w+=/.test(word))
    if (verb === 'start') return this.#start(args, fields)
    if (verb === 'expect') return this.#expect(args, words.slice(1))
    const made = this.#make(verb, args, fields)
    if (made === null) return this.#act(verb, args, words.slice(1), fields)
    if (named?.[1] !== undefined) {
      this.#names.set(named[1], made)
      return ''
    }
    if (!('promise' in made)) throw new Error(`Give it a name: name = ${line}`)
    return this.sim.settled(made.promise)
  }

  /** Every script ends like this: whole logs and histories are compared, living members end and let go of everything. */
  async finish(): Promise<void> {
    this.#sim?.check()
    await this.#sim?.close()
    this.#sim?.check()
  }

  get sim(): Simulation {
    if (this.#sim === null) throw new Error('A script begins with start.')
    return this.#sim
  }

  async #start(nodes: string[], fields: Fields): Promise<string> {
    const { seed = '1', stopped = '', joiners = '', machine, identities, priorities, ...tuning } = fields
    const unknown = Object.keys(tuning).filter((name) => !(name in tuningSchema.shape))
    if (unknown.length > 0) throw new Error(`There is no option ${unknown.join(', ')}.`)
    await this.finish()
    const stateMachine = machineNamed(machine)
    this.#sim = await createSimulation({
      seed: Number(seed),
      identities: identities === 'true',
      ...(priorities === undefined
        ? {}
        : { inheritedConfiguration: { peers: nodes, oldPeers: [], priorities: numbersOf(priorities) } }),
      nodes,
      joiners: joiners.split(',').filter((id) => id !== ''),
      stopped: stopped.split(',').filter((id) => id !== ''),
      options: Object.fromEntries(Object.entries(tuning).map(([name, value]) => [name, JSON.parse(value)])),
      ...(stateMachine === null ? {} : { stateMachine, machineErrors: 'allow' as const }),
    })
    return ''
  }

  /** What may be given a name: holds, calls under way. Null: another verb. */
  #make(verb: string, args: string[], fields: Fields): Named | null {
    const { sim } = this
    const [id = '', ...rest] = args
    if (verb === 'hold') {
      const kinds = id.split(',') as MessageKind[]
      const { from, to } = fields
      return sim.hold({
        ...(id === 'all' ? {} : { kind: kinds }),
        ...(from === undefined ? {} : { from: from.split(',') }),
        ...(to === undefined ? {} : { to: to.split(',') }),
      })
    }
    if (verb === 'disk' && rest[0] === 'holdSync') return sim.disk(id).holdSync(rest[1] as StoreName)
    if (verb === 'apply') return call(sim.propose(id, rest).then(answerLine))
    if (verb === 'snapshot') return call(sim.snapshot(id).then(answerLine))
    if (verb === 'vote')
      return call(
        sim
          .vote(id, rest[0] === undefined ? undefined : Number(rest[0]))
          .then((error) => (error === null ? 'ok' : `failed ${error.code}`)),
      )
    if (verb === 'transfer') return call(sim.transfer(id, rest[0] ?? null).then(leadershipLine))
    const wish = wishOf(verb, rest, fields)
    if (wish !== null) return call(sim.change(id, wish, fields.expect?.split(',')).then(changeLine))
    if (verb === 'shutdown') return call(sim.shutdown(id).then(() => ''))
    if (verb === 'get') {
      const level = fields.level === 'lease' || fields.level === 'local' ? fields.level : 'readIndex'
      return call(sim.query(id, ['get', rest[0]], level).then(answerLine))
    }
    return null
  }

  async #act(verb: string, args: string[], words: string[], fields: Fields): Promise<string> {
    const { sim } = this
    const [id = '', second = '', third = '', fourth = ''] = args
    const count = second === '' ? undefined : Number(second)
    switch (verb) {
      case 'run':
        await sim.run(Number(id))
        return ''
      case 'until':
        return this.#until(args, words, Number(fields.max ?? 60_000), fields.not)
      case 'elect':
        return this.#elect(id)
      case 'batch':
        return this.#batch(id, Number(second))
      case 'fill':
        return this.#fill(id, Number(second), Number(third))
      case 'crashAt':
        sim.crashAt(id, { point: second as CrashPoint, nth: Number(fields.nth ?? 1) }, 'kept')
        return ''
      case 'client':
        return this.#client(args)
      case 'cut':
      case 'oneway':
        sim[verb](id, second)
        return ''
      case 'heal':
        sim.heal()
        return ''
      case 'isolate':
      case 'crash':
      case 'restart':
      case 'pause':
      case 'resume':
        for (const each of args) sim[verb](each)
        return ''
      case 'powerLoss':
        for (const each of args)
          sim.powerLoss(each, fields.keep === undefined ? undefined : Number(fields.keep))
        return ''
      case 'readonly':
        sim.setReadonly(id, second !== 'off')
        return ''
      case 'timeout':
        sim.resetElectionTimeout(id, { electionTimeoutMs: Number(second) })
        return ''
      case 'close':
        await sim.close()
        return ''
      case 'clock':
        sim.clock(id, {
          ...(fields.rate === undefined ? {} : { rate: Number(fields.rate) }),
          ...(fields.jumpMs === undefined ? {} : { jumpMs: Number(fields.jumpMs) }),
        })
        return ''
      case 'disk':
        return this.#disk(id, second, third as StoreName, fourth, fields)
      case 'held':
        return this.#hold(id).messages.map(messageLine).join('\n') || 'none'
      case 'release': {
        const named = this.#named(id)
        if (!('release' in named)) throw new Error(`${id} is not held.`)
        named.release(count)
        await sim.run(0)
        return ''
      }
      case 'replay':
        this.#hold(id).replay(count)
        return ''
      case 'drop':
        this.#hold(id).drop(count)
        return ''
      case 'end':
        this.#hold(id).end()
        return ''
      case 'answer':
        return sim.settled(this.#call(id).promise)
      case 'pending':
        return args.map((name) => `${name} ${this.#call(name).settled ? 'answered' : 'pending'}`).join('\n')
      case 'members':
        return (args.length === 0 ? sim.nodes : args).map((each) => membersLine(sim, each)).join('\n')
      case 'status':
        return (args.length === 0 ? sim.nodes : args).map((each) => memberLine(sim, each)).join('\n')
      case 'durable':
        return args.map((each) => `${each} ${diskLine(sim.durable(each))}`).join('\n')
      case 'trace':
        return this.#trace(id, count ?? 5, third)
      case 'check':
        sim.check()
        return ''
      default:
        throw new Error(`There is no command ${verb}.`)
    }
  }

  async #elect(id: string): Promise<string> {
    const { sim } = this
    const others = sim.hold({ kind: 'prevote', from: sim.nodes.filter((node) => node !== id) })
    const elected = await sim.until(() => sim.leader() === id)
    others.drop()
    others.end()
    if (!elected) throw new Error(`${id} was not elected.`)
    return this.#leaderLine()
  }

  #leaderLine(): string {
    const leader = this.sim.leader()
    return leader === null ? 'nobody leads' : `${leader} leads term ${this.sim.node(leader).status().term}`
  }

  async #until(args: string[], words: string[], maxMs: number, not?: string): Promise<string> {
    const { sim } = this
    const what = words.filter((word) => !/^(max|not)=/.test(word)).join(' ')
    const holds =
      args[0] === 'leader'
        ? () => sim.leader() !== null && sim.leader() !== not
        : args[0] === 'equal'
          ? () => this.#areEqual(args.slice(1))
          : args[0] === 'held'
            ? () => this.#hold(args[1] ?? '').messages.length >= Number(args[2])
            : () => this.#holds(what)
    if (!(await sim.until(holds, maxMs)))
      throw new Error(`Not within ${maxMs} ms: ${what}\n${this.#everybody()}`)
    return args[0] === 'leader' ? this.#leaderLine() : ''
  }

  #everybody(): string {
    return this.sim.nodes.map((id) => memberLine(this.sim, id)).join('\n')
  }

  /** Everything is committed and applied, and the same, on these members (default: on all that live). */
  #areEqual(ids: string[]): boolean {
    const { sim } = this
    const members = (ids.length > 0 ? ids : sim.nodes).map((id) => sim.node(id)).filter(({ alive }) => alive)
    const states = members.map(({ status }) => status())
    const top = Math.max(...states.map(({ lastIndex }) => lastIndex))
    return states.every(
      (s) => s.appliedIndex === top && s.commitIndex === top && s.stateHash === states[0]?.stateHash,
    )
  }

  /** `A role=leader term>=2` */
  #holds(condition: string): boolean {
    const [id = '', ...terms] = condition.split(' ')
    const { alive, paused, status } = this.sim.node(id)
    return terms.every((term) => {
      const [, name = '', operator, wanted = ''] = /^(\w+)(>=|<=|!=|=|>|<)(.+)$/.exec(term) ?? []
      const values: Record<string, unknown> = { ...(alive ? fieldsOf(status()) : {}), alive, paused }
      if (operator === undefined || (alive && !(name in values))) throw new Error(`What is ${term}?`)
      const value = values[name]
      switch (operator) {
        case '=':
          return String(value ?? '-') === wanted
        case '!=':
          return String(value ?? '-') !== wanted
        case '>=':
          return Number(value) >= Number(wanted)
        case '<=':
          return Number(value) <= Number(wanted)
        case '>':
          return Number(value) > Number(wanted)
        default:
          return Number(value) < Number(wanted)
      }
    })
  }

  /** Holds also while the expected output is rewritten. */
  #expect(args: string[], words: string[]): string {
    const { sim } = this
    const what = words.join(' ')
    const [first = ''] = args
    const isTrue =
      first === 'leader'
        ? (sim.leader() ?? 'none') === args[1]
        : first === 'equal'
          ? this.#areEqual(args.slice(1))
          : first === 'held'
            ? this.#hold(args[1] ?? '').messages.length === Number(args[2])
            : this.#holds(what)
    if (!isTrue) throw new Error(`Expected ${what}\n${this.#everybody()}`)
    return ''
  }

  async #batch(id: string, count: number): Promise<string> {
    const calls = Array.from({ length: count }, (_, n) => this.sim.propose(id, ['put', `k${n}`, `v${n}`]))
    const answers = (await this.sim.settled(Promise.all(calls))).map((answer) =>
      answer.outcome === 'ok' ? 'ok' : answerLine(answer),
    )
    return [...new Set(answers)].map((a) => `${answers.filter((b) => a === b).length} x ${a}`).join('\n')
  }

  /** Values that are large enough for a snapshot of several chunks. */
  async #fill(id: string, count: number, bytes: number): Promise<string> {
    for (let n = 0; n < count; n++) {
      const answer = await this.sim.settled(this.sim.propose(id, ['put', `fill${n}`, 'x'.repeat(bytes)]))
      if (answer.outcome !== 'ok') return answerLine(answer)
    }
    return ''
  }

  async #client([op = '', key = '', first = '', second = '']: string[]): Promise<string> {
    const client = this.sim.client()
    const asked =
      op === 'put' || op === 'append'
        ? client[op](key, first)
        : op === 'cas'
          ? client.cas(key, first === '-' ? null : first, second)
          : client.get(key)
    const { outcome, result } = await this.sim.settled(asked)
    return outcome === 'ok' ? `ok ${JSON.stringify(result)}` : outcome
  }

  #disk(id: string, what: string, store: StoreName, how: string, fields: Fields): string {
    const { sim } = this
    const disk = sim.disk(id)
    if (what === 'fail') disk.fail(store, (fields.times ?? 'once') as FailTimes, how as FailPoint)
    else if (what === 'corrupt') {
      const place = (Number.isNaN(Number(how)) ? how : Number(how)) as DamagePlace
      const damaged = disk.corrupt(store, how === '' ? 'any' : place)
      return damaged === null
        ? 'nothing to damage'
        : damaged === 0
          ? 'meta damaged'
          : `entry ${damaged} damaged`
    } else if (what === 'heal') disk.heal()
    else if (what === 'slow') disk.slow(Number(store))
    else if (what === 'wipe') sim.wipeDisk(id)
    else if (what === 'loseMeta') disk.loseMeta()
    else throw new Error(`A disk cannot ${what}.`)
    return ''
  }

  /** The last `count` lines about a member that mention `what`, without times. */
  #trace(id: string, count: number, what: string): string {
    const lines = this.sim.trace().map((line) => line.trim().split(/\s+/).slice(1))
    const wanted = lines.filter(([node, ...rest]) => node === id && rest.join(' ').includes(what))
    return wanted
      .slice(-count)
      .map((words) => words.join(' '))
      .join('\n')
  }

  #named(name: string): Named {
    const named = this.#names.get(name)
    if (named === undefined) throw new Error(`Nothing is called ${name}.`)
    return named
  }

  #hold(name: string): Hold {
    const named = this.#named(name)
    if (!('messages' in named)) throw new Error(`${name} holds no messages.`)
    return named
  }

  #call(name: string): Call {
    const named = this.#named(name)
    if (!('promise' in named)) throw new Error(`${name} is no call.`)
    return named
  }
}

/** `A:50,B:200` */
function numbersOf(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries(text.split(',').map((pair) => [pair.split(':')[0], Number(pair.split(':')[1])]))
}

function call(promise: Promise<string>): Call {
  const made: Call = { promise, settled: false }
  void promise.then(() => {
    made.settled = true
  })
  return made
}
