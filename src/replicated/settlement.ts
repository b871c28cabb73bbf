// From the actions that a step has asked for: which timers and jobs there are afterwards, and what is to be done.

import type { AnyActorRef, AnyMachineSnapshot, EventObject, ExecutableActionObject } from 'xstate'
import { z } from 'zod'
import { withoutUndefined } from './deterministic.ts'
import { type DurableCode, inputOf, MAX_PENDING_ACTIONS } from './durable.ts'
import type { At, Effect, Instance, Job, Timer } from './shapes.ts'

const eventSchema = z.custom<EventObject>(
  (event) => typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string',
)
const raiseSchema = z.object({
  event: eventSchema,
  id: z.string().optional(),
  delay: z.number().or(z.nan()).optional(),
})
const sendSchema = raiseSchema.extend({ to: z.custom<AnyActorRef>((to) => typeof to === 'object') })
const spawnSchema = z.object({
  id: z.string("a child that is spawned needs an id of its own: spawnChild(src, { id: '…' })"),
  src: z.string('a child that is spawned needs a source by name, as setup({ actors }) knows it'),
  systemId: z
    .undefined('a child that is spawned has a systemId, which cannot be replicated: leave it out')
    .optional(),
  input: z.unknown().optional(),
})
const stopSchema = z.object({ id: z.string() }).optional()
const cancelSchema = z.object({ sendId: z.string() })
const emitSchema = z.object({ event: eventSchema })

/** What there was before the step. */
export interface Before {
  readonly timers: Instance['timers']
  readonly jobs: Instance['jobs']
  readonly children: Readonly<Record<string, unknown>>
}

export class Settlement {
  /** What the instance has sent to itself, and has not had yet. */
  readonly ownEvents: EventObject[] = []
  readonly #before: Before
  readonly #at: At
  readonly #self: AnyActorRef
  readonly #durable: DurableCode
  readonly #effects: Effect[] = []
  #timers: Map<string, Timer> | null = null
  #jobs: Map<string, Job> | null = null
  #nameless = 0
  #acts = 0
  readonly #spawned = new Set<string>()

  constructor(before: Before, at: At, { self, durable }: { self: AnyActorRef; durable: DurableCode }) {
    this.#before = before
    this.#at = at
    this.#self = self
    this.#durable = durable
  }

  /** @throws Error for what cannot be replicated. */
  take(actions: readonly ExecutableActionObject[], snapshot: AnyMachineSnapshot): void {
    for (const action of actions) this.#take(action)
    this.#checkChildren(snapshot)
  }

  /** A machine that has ended waits for nothing any more; what it has said is to be done is done nevertheless. */
  conclude(snapshot: AnyMachineSnapshot): { instance: Instance; effects: readonly Effect[] } {
    const isOver = snapshot.status !== 'active'
    const timers = isOver ? new Map() : (this.#timers ?? this.#before.timers)
    const all = this.#jobs ?? this.#before.jobs
    const jobs = isOver ? new Map([...all].filter(([, { action }]) => action !== null)) : all
    return { instance: { snapshot, timers, jobs }, effects: this.#effects }
  }

  #take(asked: ExecutableActionObject): void {
    const { type, params } = asked
    switch (type) {
      case 'xstate.raise': {
        const { event, id, delay } = wellFormed(raiseSchema, params)
        // Without a delay it was part of the step.
        if (delay !== undefined) this.#arm(id, delay, event, null)
        return
      }
      case 'xstate.sendTo':
        return this.#send(wellFormed(sendSchema, params))
      case 'xstate.cancel':
        this.#ownTimers().delete(wellFormed(cancelSchema, params).sendId)
        return
      case 'xstate.spawnChild':
        return this.#spawn(wellFormed(spawnSchema, params))
      case 'xstate.stopChild': {
        const child = wellFormed(stopSchema, params)
        if (child !== undefined) this.#ownJobs().delete(child.id)
        return
      }
      case 'xstate.emit':
        this.#effects.push({ type: 'emit', event: wellFormed(emitSchema, params).event })
        return
      default:
        return this.#act(asked)
    }
  }

  /** What is marked as durable is waited for like a job; the rest is performed, if at all, once. */
  #act({ type: name, info, params, exec }: ExecutableActionObject): void {
    if (exec === undefined) return
    if (this.#durable[name] !== exec) {
      this.#effects.push({ type: 'act', name, run: () => exec(info, params) })
      return
    }
    const jobs = this.#ownJobs()
    if ([...jobs.values()].filter(({ action }) => action !== null).length >= MAX_PENDING_ACTIONS)
      throw new Error(
        `${MAX_PENDING_ACTIONS} durable actions of it have not ended yet, which is as many as may wait`,
      )
    const action = { failures: 0, dueAtMs: this.#at.timeMs }
    const id = `${name}#${this.#at.index}.${this.#acts++}`
    jobs.set(id, { armedAt: this.#at.index, src: name, input: inputOf(info.event, params), action })
  }

  #send({ to, event, id, delay }: z.output<typeof sendSchema>): void {
    const target = to === this.#self ? null : String(to.id)
    if (delay !== undefined) this.#arm(id, delay, event, target)
    else if (target === null) this.ownEvents.push(event)
    else this.#effects.push({ type: 'tell', job: target, event })
  }

  #spawn({ id, src, input }: z.output<typeof spawnSchema>): void {
    this.#spawned.add(id)
    this.#ownJobs().set(id, { armedAt: this.#at.index, src, input: withoutUndefined(input), action: null })
  }

  /** What has a name already is armed anew. */
  #arm(id: string | undefined, delay: number, event: EventObject, target: string | null): void {
    if (!Number.isFinite(delay))
      throw new Error(`the delay of ${event.type} is ${delay}, which is no number of milliseconds`)
    const dueAtMs = this.#at.timeMs + Math.max(0, delay)
    const name = id ?? `#${this.#at.index}.${this.#nameless++}`
    const plain = eventSchema.parse(withoutUndefined(event))
    this.#ownTimers().set(name, { armedAt: this.#at.index, dueAtMs, event: plain, target })
  }

  #ownTimers(): Map<string, Timer> {
    this.#timers ??= new Map(this.#before.timers)
    return this.#timers
  }

  #ownJobs(): Map<string, Job> {
    this.#jobs ??= new Map(this.#before.jobs)
    return this.#jobs
  }

  /** A child that came without an action was spawned in an assign: nobody could know it by the same name elsewhere. */
  #checkChildren({ children }: AnyMachineSnapshot): void {
    if (children === this.#before.children) return
    for (const id of Object.keys(children))
      if (!this.#spawned.has(id) && !(id in this.#before.children))
        throw new Error(`child ${id} was spawned in an assign, which cannot be replicated: invoke it instead`)
  }
}

function wellFormed<S extends z.ZodType>(schema: S, params: unknown): z.output<S> {
  const parsed = schema.safeParse(params)
  if (parsed.success) return parsed.data
  throw new Error(parsed.error.issues[0]?.message ?? 'an action has parameters of another form')
}
