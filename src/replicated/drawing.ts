// A machine's configuration as others may see it: what a chart is drawn from, which is names. Contexts, inputs, parameters and
// whatever else a machine may carry stay where they are.

/** As deep as charts go. */
const MAX_DEPTH = 32

export function drawnAs(config: unknown): unknown {
  return stateOf(config, 0)
}

function stateOf(config: unknown, depth: number): unknown {
  if (!isRecord(config) || depth > MAX_DEPTH) return {}
  const { id, type, initial, history, states, on, after, always, onDone, entry, exit, invoke } = config
  return {
    ...named({ id, type, history }),
    ...(initial !== undefined && { initial: isRecord(initial) ? String(initial.target) : initial }),
    ...(isRecord(states) && { states: each(states, (inner) => stateOf(inner, depth + 1)) }),
    ...(isRecord(on) && { on: each(on, transitionsOf) }),
    ...(isRecord(after) && { after: each(after, transitionsOf) }),
    ...(always !== undefined && { always: transitionsOf(always) }),
    ...(onDone !== undefined && { onDone: transitionsOf(onDone) }),
    ...(entry !== undefined && { entry: listOf(entry).map(nameOf) }),
    ...(exit !== undefined && { exit: listOf(exit).map(nameOf) }),
    ...(invoke !== undefined && { invoke: listOf(invoke).map(jobOf) }),
  }
}

function jobOf(invoke: unknown): unknown {
  if (!isRecord(invoke)) return {}
  const { id, src, onDone, onError } = invoke
  return {
    ...named({ id, src }),
    ...(onDone !== undefined && { onDone: transitionsOf(onDone) }),
    ...(onError !== undefined && { onError: transitionsOf(onError) }),
  }
}

function transitionsOf(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(transitionsOf)
  if (!isRecord(given)) return typeof given === 'string' ? given : {}
  const { target, guard, actions, reenter } = given
  return {
    ...(target !== undefined && { target: Array.isArray(target) ? target.map(String) : String(target) }),
    ...(guard !== undefined && { guard: nameOf(guard) }),
    ...(actions !== undefined && { actions: listOf(actions).map(nameOf) }),
    ...(reenter === true && { reenter }),
  }
}

/** Of a guard or an action: by name, by name with parameters, or as it is. */
function nameOf(given: unknown): unknown {
  if (typeof given === 'string') return { type: given }
  if (typeof given === 'function') return { type: given.name }
  return { type: isRecord(given) && typeof given.type === 'string' ? given.type : '' }
}

function named(given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => typeof value === 'string'))
}

function each(given: Record<string, unknown>, of: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, of(value)]))
}

function listOf(given: unknown): readonly unknown[] {
  return Array.isArray(given) ? given : [given]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
