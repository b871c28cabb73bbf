// A machine's configuration, as it is exported, as a tree that can be drawn: any machine, ours or a user's.

export interface ChartNode {
  readonly key: string
  /** From the root, as the feed names states: `active.leader.serving`. */
  readonly path: string
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history'
  readonly isInitial: boolean
  readonly children: readonly ChartNode[]
  readonly transitions: readonly ChartTransition[]
}

export interface ChartTransition {
  readonly event: string
  /** As written in the machine; empty: it stays where it is. */
  readonly target: string
}

const MAX_DEPTH = 12
const MAX_NODES = 1000

/** Undefined: it is no configuration of a machine. */
export function chartOf(json: string): ChartNode | undefined {
  const budget = { left: MAX_NODES }
  try {
    const config: unknown = JSON.parse(json)
    return isRecord(config) ? nodeOf('', '', config, { isInitial: true, depth: 0, budget }) : undefined
  } catch {
    return undefined
  }
}

/** Whether `path` is the state, or one that holds it. */
export function isActive(path: string, state: string): boolean {
  return path === '' || state === path || state.startsWith(`${path}.`)
}

interface Place {
  readonly isInitial: boolean
  readonly depth: number
  readonly budget: { left: number }
}

function nodeOf(key: string, path: string, config: Record<string, unknown>, place: Place): ChartNode {
  const { depth, budget } = place
  budget.left -= 1
  const states = isRecord(config.states) && depth < MAX_DEPTH ? Object.entries(config.states) : []
  const children = states.flatMap(([name, child]) => {
    if (!isRecord(child) || budget.left <= 0) return []
    const below = path === '' ? name : `${path}.${name}`
    return [nodeOf(name, below, child, { isInitial: config.initial === name, depth: depth + 1, budget })]
  })
  const type = typeOf(config.type, children.length)
  return { key, path, type, isInitial: place.isInitial, children, transitions: transitionsOf(config) }
}

function typeOf(type: unknown, children: number): ChartNode['type'] {
  if (type === 'parallel' || type === 'final' || type === 'history') return type
  return children > 0 ? 'compound' : 'atomic'
}

function transitionsOf(config: Record<string, unknown>): readonly ChartTransition[] {
  const named = (key: string, word: (event: string) => string): ChartTransition[] => {
    const each = config[key]
    if (!isRecord(each)) return []
    return Object.entries(each).flatMap(([event, to]) =>
      targetsOf(to).map((target) => ({ event: word(event), target })),
    )
  }
  const always = targetsOf(config.always).map((target) => ({ event: 'always', target }))
  const own = [...named('on', (event) => event), ...named('after', (delay) => `after ${delay}`), ...always]
  return [...own, ...jobsOf(config.invoke)]
}

/** Where it leads when something that was invoked has come to its end. */
function jobsOf(invoke: unknown): readonly ChartTransition[] {
  return (Array.isArray(invoke) ? invoke : [invoke])
    .filter(isRecord)
    .flatMap(({ id, src, onDone, onError }) => {
      const name = typeof id === 'string' ? id : String(src ?? '')
      const done = targetsOf(onDone).map((target) => ({ event: `${name} is done`, target }))
      return [...done, ...targetsOf(onError).map((target) => ({ event: `${name} has failed`, target }))]
    })
}

function targetsOf(transition: unknown): readonly string[] {
  if (transition === undefined) return []
  if (Array.isArray(transition)) return transition.flatMap(targetsOf)
  if (typeof transition === 'string') return [transition]
  if (!isRecord(transition)) return ['']
  const { target } = transition
  if (Array.isArray(target)) return target.filter((each) => typeof each === 'string')
  return [typeof target === 'string' ? target : '']
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
