// Charts that answer most events without XState's algorithm: the same transitions, guards, actions and inspection, in the same
// order, in a fraction of the time. What is not plain (a state that invokes or waits, an action of XState's own) goes through
// XState as ever, and so does everything in a version of it that looks different inside.

import type {
  AnyActorScope,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
  StateValue,
} from 'xstate'

/** One transition out of one leaf, with all that it does: exits, its own actions, entries. */
interface Step {
  readonly transition: AnyTransitionDefinition
  readonly guard: string | null
  readonly actions: readonly Named[]
  /** Where it leads; null: it stays. */
  readonly to: Leaf | null
  /** False: XState has to carry it out. */
  readonly isPlain: boolean
}

interface Named {
  readonly type: string
  readonly params: unknown
}

/** A state without states in it, and what can happen there. */
interface Leaf {
  readonly node: AnyStateNode
  /** By type of event: candidates in the order in which they are asked, from the leaf up; null: XState's own event. */
  readonly steps: Map<string, readonly Step[] | null>
  /** Those that need no event; null: not looked at yet. */
  eventless: readonly Step[] | null
  /** Whatever can follow here without an event is plain. */
  isOpen: boolean
  /** What snapshots of it are copied from. */
  snapshot: AnyMachineSnapshot | null
}

/** Events of XState's own, which it alone understands. */
const INTERNAL = 'xstate.'

/**
 * Makes a machine quicker. `rest` is an event that the chart does not know: with it XState goes on by itself from where a
 * transition without an event is not plain. It must look at nothing of the event. Without `rest` such states are left to XState.
 */
export function quick(machine: AnyStateMachine, rest: string | null = null): void {
  const whole: AnyStateMachine['transition'] = machine.transition.bind(machine)
  const chart = new QuickChart(machine)
  const mayStop = (leaf: Leaf): boolean => rest !== null || leaf.isOpen
  machine.transition = (snapshot, event, scope) => {
    const { system } = scope
    const leaf = snapshot.status === 'active' && isInspectable(system) ? chart.leafOf(snapshot) : null
    const steps = leaf !== null && mayStop(leaf) ? chart.stepsOf(leaf, event.type) : null
    if (leaf === null || steps === null || !isInspectable(system)) return whole(snapshot, event, scope)
    const step = chart.choose(steps, snapshot, event)
    if (step !== null && (!step.isPlain || !mayStop(step.to ?? leaf))) return whole(snapshot, event, scope)
    let now = chart.take(step, snapshot, event, scope, system)
    let at = step?.to ?? leaf
    for (;;) {
      const next = chart.choose(chart.eventlessOf(at), now, event)
      if (next === null) return now
      if (!next.isPlain) return whole(now, { type: rest ?? INTERNAL }, scope)
      now = chart.take(next, now, event, scope, system)
      at = next.to ?? at
    }
  }
}

/** Who watches a system hears of every transition; XState's types do not say by what. */
interface Inspectable {
  _sendInspectionEvent(event: object): void
}

function isInspectable(system: object): system is Inspectable {
  return '_sendInspectionEvent' in system
}

class QuickChart {
  readonly #machine: AnyStateMachine
  readonly #leaves = new Map<AnyStateNode, Leaf>()

  constructor(machine: AnyStateMachine) {
    this.#machine = machine
  }

  /** Null: it is in several at once, or in one that ends it. */
  leafOf({ _nodes: nodes }: AnyMachineSnapshot): Leaf | null {
    let found: AnyStateNode | null = null
    for (const node of nodes) {
      if (node.type === 'compound') continue
      if (node.type !== 'atomic' || found !== null) return null
      found = node
    }
    return found === null ? null : this.#leaf(found)
  }

  stepsOf(leaf: Leaf, eventType: string): readonly Step[] | null {
    const known = leaf.steps.get(eventType)
    if (known !== undefined) return known
    const found = withAncestors(leaf.node).flatMap((node) => candidates(node, eventType))
    const isInternal = eventType.startsWith(INTERNAL)
    const steps = isInternal ? null : found.map((transition) => this.#step(leaf, transition))
    leaf.steps.set(eventType, steps)
    return steps
  }

  eventlessOf(leaf: Leaf): readonly Step[] {
    if (leaf.eventless !== null) return leaf.eventless
    const found = withAncestors(leaf.node).flatMap(({ always }) => always ?? [])
    leaf.eventless = found.map((transition) => this.#step(leaf, transition))
    return leaf.eventless
  }

  choose(steps: readonly Step[], { context }: AnyMachineSnapshot, event: AnyEventObject): Step | null {
    if (steps.length === 0) return null
    const { guards } = this.#machine.implementations
    for (const step of steps)
      if (step.guard === null || guards[step.guard]?.({ context, event }, undefined)) return step
    return null
  }

  take(
    step: Step | null,
    snapshot: AnyMachineSnapshot,
    event: AnyEventObject,
    { self, system, actionExecutor }: AnyActorScope,
    { _sendInspectionEvent: tell }: Inspectable,
  ): AnyMachineSnapshot {
    const { context, children, historyValue } = snapshot
    if (step !== null && step.actions.length > 0) {
      const { actions } = this.#machine.implementations
      const info = { context, event, self, system }
      for (const { type, params } of step.actions) actionExecutor({ type, params, info, exec: actions[type] })
    }
    const to = step?.to ?? null
    const next = to === null ? snapshot : { ...this.#snapshotOf(to), context, children, historyValue }
    const _transitions = step === null ? [] : [step.transition]
    tell({ type: '@xstate.microstep', actorRef: self, event, snapshot: next, _transitions })
    return next
  }

  #leaf(node: AnyStateNode): Leaf {
    let leaf = this.#leaves.get(node)
    if (leaf === undefined) {
      leaf = { node, steps: new Map(), eventless: null, isOpen: true, snapshot: null }
      this.#leaves.set(node, leaf)
      // While it is being looked at it counts as open: a circle adds nothing to what is found on the way.
      leaf.isOpen = this.eventlessOf(leaf).every(({ isPlain, to }) => isPlain && to?.isOpen !== false)
    }
    return leaf
  }

  #snapshotOf(leaf: Leaf): AnyMachineSnapshot {
    const { path } = leaf.node
    const value = path
      .slice(0, -1)
      .reduceRight<StateValue>((inner, key) => ({ [key]: inner }), path.at(-1) ?? '')
    leaf.snapshot ??= this.#machine.resolveState({ value, context: {} })
    return leaf.snapshot
  }

  #step(from: Leaf, transition: AnyTransitionDefinition): Step {
    const guard = this.#guardOf(transition)
    const way = wayOf(from.node, transition)
    const actions = way.does.map((action) => this.#named(action))
    const isPlain = guard !== undefined && way.isPlain && actions.every((action) => action !== null)
    if (!isPlain) return { transition, guard: guard ?? null, actions: [], to: null, isPlain }
    const to = way.to === from.node ? null : this.#leaf(way.to)
    return { transition, guard, actions: actions.filter((action) => action !== null), to, isPlain }
  }

  /** Undefined: only XState can ask it. */
  #guardOf({ guard }: AnyTransitionDefinition): string | null | undefined {
    if (guard === undefined) return null
    const asked = typeof guard === 'string' ? this.#machine.implementations.guards[guard] : undefined
    return typeof guard === 'string' && typeof asked === 'function' && !('check' in asked) ? guard : undefined
  }

  /** Null: only XState can carry it out. */
  #named(action: AnyTransitionDefinition['actions'][number]): Named | null {
    if (typeof action === 'function') return null
    const { type, params } = typeof action === 'string' ? { type: action, params: undefined } : action
    const run = this.#machine.implementations.actions[type]
    const isPlain = typeof run === 'function' && !('resolve' in run) && typeof params !== 'function'
    return isPlain ? { type, params } : null
  }
}

interface Way {
  /** The leaf in which it ends. */
  readonly to: AnyStateNode
  readonly does: AnyTransitionDefinition['actions']
  readonly isPlain: boolean
}

/** What is left, done and entered on a transition out of `leaf` (SCXML, and XState's `microstep`). */
function wayOf(leaf: AnyStateNode, transition: AnyTransitionDefinition): Way {
  const { source, target = [], reenter } = transition
  const actions = [...transition.actions]
  const [aim] = target
  if (aim === undefined) return { to: leaf, does: actions, isPlain: true }
  const isWithin = !reenter && (aim === source || isBelow(aim, source))
  const domain = isWithin
    ? source
    : withAncestors(aim).find((node) => isBelow(aim, node) && isBelow(source, node))
  if (domain === undefined || target.length > 1) return { to: leaf, does: actions, isPlain: false }
  const exits = withAncestors(leaf).filter((node) => isBelow(node, domain))
  const entries = withAncestors(aim)
    .filter((node) => isBelow(node, domain))
    .reverse()
  let to = aim
  while (to.type === 'compound' && to.initial.target[0]?.parent === to) {
    to = to.initial.target[0]
    entries.push(to)
  }
  const does = [...exits.flatMap(({ exit }) => exit), ...actions, ...entries.flatMap(({ entry }) => entry)]
  return { to, does, isPlain: to.type === 'atomic' && [...exits, ...entries].every(isPlainNode) }
}

function isPlainNode({ type, invoke, initial }: AnyStateNode): boolean {
  const isPlainType = type === 'atomic' || type === 'compound'
  return isPlainType && invoke.length === 0 && (type === 'atomic' || initial.actions.length === 0)
}

function withAncestors(leaf: AnyStateNode): AnyStateNode[] {
  const nodes: AnyStateNode[] = []
  for (let node: AnyStateNode | undefined = leaf; node !== undefined; node = node.parent) nodes.push(node)
  return nodes
}

function isBelow(node: AnyStateNode, above: AnyStateNode): boolean {
  return node !== above && withAncestors(node).includes(above)
}

/** The exact type first, then wildcards, the longest first. */
function candidates({ transitions }: AnyStateNode, eventType: string): AnyTransitionDefinition[] {
  const wildcards = [...transitions.keys()].filter((key) => key !== eventType && matches(eventType, key))
  const keys = [eventType, ...wildcards.sort((a, b) => b.length - a.length)]
  return keys.flatMap((key) => transitions.get(key) ?? [])
}

function matches(eventType: string, descriptor: string): boolean {
  return (
    descriptor === '*' || (descriptor.endsWith('.*') && `${eventType}.`.startsWith(descriptor.slice(0, -1)))
  )
}
