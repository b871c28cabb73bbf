// Is there one order of all operations that explains what every client saw? The search of Wing and Gong with Lowe's
// memory of configurations already tried, per key, as in porcupine.

import type { Operation } from './history.ts'
import { isExplainedBy, type Positions } from './known-order.ts'
import { applyKv } from './kv-model.ts'
import { linkMarks, type Mark, relink, unlink } from './operation-marks.ts'

export type Verdict =
  | { readonly verdict: 'linearizable'; readonly steps: number }
  | {
      readonly verdict: 'violation'
      readonly steps: number
      readonly key: string
      /** One sentence: which operation no order explains. */
      readonly explanation: string
      /** The longest order found, and the operations that wait behind it. */
      readonly prefix: readonly Operation[]
      readonly stuckAt: readonly Operation[]
    }
  /** The search took more than `maxSteps`: nothing is known, in neither direction. */
  | { readonly verdict: 'gaveUp'; readonly steps: number; readonly key: string; readonly explanation: string }

export interface LinearizabilityOptions {
  /** Most operations tried per key before giving up. Default 2,000,000: about two seconds. */
  readonly maxSteps?: number
  /** Values of keys before the first operation. Default: none. */
  readonly initial?: (key: string) => string | null
  /** An order to try before searching for one. */
  readonly positions?: Positions
}

/** Checks a whole history, one key after the other (linearizability is compositional). */
export function checkLinearizability(
  operations: readonly Operation[],
  options: LinearizabilityOptions = {},
): Verdict {
  const maxSteps = options.maxSteps ?? 2_000_000
  let steps = 0
  let gaveUp: Verdict | null = null
  const { positions } = options
  for (const [key, ofKey] of groupByKey(operations)) {
    if (positions !== undefined && isExplainedBy(ofKey, positions)) continue
    const verdict = new KeySearch(key, ofKey, options.initial?.(key) ?? null, maxSteps).run()
    steps += verdict.steps
    if (verdict.verdict === 'violation') return { ...verdict, steps }
    if (verdict.verdict === 'gaveUp') gaveUp ??= verdict
  }
  return gaveUp === null ? { verdict: 'linearizable', steps } : { ...gaveUp, steps }
}

function groupByKey(operations: readonly Operation[]): Map<string, Operation[]> {
  const keys = new Map<string, Operation[]>()
  for (const operation of operations) {
    // What certainly had no effect, and reads that saw nothing, explain nothing and forbid nothing.
    if (operation.outcome === 'failed') continue
    if (operation.outcome === 'unknown' && operation.command.op === 'get') continue
    const { key } = operation.command
    const list = keys.get(key)
    if (list === undefined) keys.set(key, [operation])
    else list.push(operation)
  }
  return keys
}

interface Choice {
  readonly mark: Mark
  readonly valueBefore: string | null
  readonly limitBefore: number
  readonly highestBefore: number
}

class KeySearch {
  readonly #key: string
  readonly #maxSteps: number
  /** Calls and returns of operations with a known outcome, in order of time. */
  readonly #known: Mark
  /** Calls of the others. They are tried last: most of them explain nothing. */
  readonly #unknown: Mark
  readonly #tried = new Set<string>()
  readonly #takenKnown: Int32Array
  readonly #takenUnknown: Int32Array
  readonly #stack: Choice[] = []
  #value: string | null
  /** While unknown operations are tried: those invoked after this cannot come first. */
  #limit = Number.POSITIVE_INFINITY
  /** The latest known operation placed so far. */
  #highest = -1
  #returnsLeft = 0
  #steps = 0
  #longest: Operation[] = []
  #stuckAt: Operation[] = []

  constructor(key: string, operations: readonly Operation[], initial: string | null, maxSteps: number) {
    this.#key = key
    this.#maxSteps = maxSteps
    this.#value = initial
    const inOrder = [...operations].sort((a, b) => a.invokedAt - b.invokedAt)
    const known = inOrder.filter(({ outcome }) => outcome === 'ok')
    const unknown = inOrder.filter(({ outcome }) => outcome === 'unknown')
    this.#takenKnown = new Int32Array(Math.ceil(known.length / 32))
    this.#takenUnknown = new Int32Array(Math.ceil(unknown.length / 32))
    this.#known = linkMarks(known)
    this.#unknown = linkMarks(unknown)
    for (let mark = this.#known.next; mark !== null; mark = mark.next) if (!mark.isCall) this.#returnsLeft++
  }

  run(): Verdict {
    let mark = this.#known.next
    // Done when every operation with a known outcome has its place; the others may have happened or not.
    while (this.#returnsLeft > 0) {
      if (mark !== null && !mark.isCall) {
        // This has returned and has no place yet. Before giving up on it: something of unknown outcome may come first.
        this.#noteStuck(mark)
        this.#limit = mark.operation.completedAt
        mark = this.#unknown.next
      } else if (mark === null || mark.operation.invokedAt > this.#limit) {
        const undone = this.#undo()
        if (undone === null) return this.#violation()
        mark = undone.next
      } else {
        if (++this.#steps > this.#maxSteps) return this.#gaveUp()
        mark = this.#choose(mark) ? this.#known.next : mark.next
      }
    }
    return { verdict: 'linearizable', steps: this.#steps }
  }

  /** Puts the operation next in the order, if its result fits and this position was not tried before. */
  #choose(mark: Mark): boolean {
    const { operation } = mark
    const { value, result } = applyKv(this.#value, operation.command)
    const isUnknown = operation.outcome === 'unknown'
    if (isUnknown ? value === this.#value : operation.result !== result) return false
    // Whatever of unknown outcome came just before, nobody would see it: the same goes without it.
    if (isBlind(operation) && this.#stack.at(-1)?.mark.operation.outcome === 'unknown') return false
    if (isUnknown && !this.#isOfUse(value)) return false
    this.#mark(mark, true)
    const highestBefore = this.#highest
    if (!isUnknown && mark.bit > this.#highest) this.#highest = mark.bit
    const valueBefore = this.#value
    this.#value = value
    unlink(mark)
    if (mark.returned !== null) unlink(mark.returned)
    if (!this.#isNew()) {
      this.#value = valueBefore
      this.#restore(mark, highestBefore)
      return false
    }
    this.#stack.push({ mark, valueBefore, limitBefore: this.#limit, highestBefore })
    this.#limit = Number.POSITIVE_INFINITY
    if (mark.returned !== null) this.#returnsLeft--
    return true
  }

  /** An operation of unknown outcome is worth trying only if its value leads to what somebody saw. */
  #isOfUse(value: string | null): boolean {
    for (let mark = this.#known.next; mark?.isCall === true; mark = mark.next) {
      if (couldSee(mark.operation, value)) return true
    }
    for (let mark = this.#unknown.next; mark !== null; mark = mark.next) {
      const { command, invokedAt } = mark.operation
      if (invokedAt > this.#limit) return false
      if (command.op === 'cas' && command.expect === value) return true
    }
    return false
  }

  #undo(): Mark | null {
    const choice = this.#stack.pop()
    if (choice === undefined) return null
    const { mark, valueBefore, limitBefore, highestBefore } = choice
    this.#value = valueBefore
    this.#limit = limitBefore
    this.#restore(mark, highestBefore)
    if (mark.returned !== null) this.#returnsLeft++
    return mark
  }

  #restore(mark: Mark, highestBefore: number): void {
    this.#mark(mark, false)
    this.#highest = highestBefore
    if (mark.returned !== null) relink(mark.returned)
    relink(mark)
  }

  #mark(mark: Mark, taken: boolean): void {
    const words = mark.operation.outcome === 'unknown' ? this.#takenUnknown : this.#takenKnown
    const at = mark.bit >>> 5
    const bit = 1 << (mark.bit & 31)
    words[at] = taken ? (words[at] ?? 0) | bit : (words[at] ?? 0) & ~bit
  }

  /**
   * The same operations placed and the same value: whatever follows was tried from there already. Known operations
   * are placed nearly in order of time, so the first that is not, and the few beyond it, say it all.
   */
  #isNew(): boolean {
    const lowest = this.#known.next?.bit ?? -1
    let text = this.#value === null ? `n${lowest}` : `v${this.#value}\0${lowest}`
    if (lowest >= 0) {
      for (let at = lowest >>> 5; at <= this.#highest >> 5; at++) {
        let word = this.#takenKnown[at] ?? 0
        // What lies before the first one open is all taken; its place in the word must not make a difference.
        if (at === lowest >>> 5) word &= -1 << (lowest & 31)
        text += `,${word}`
      }
    }
    this.#takenUnknown.forEach((word, at) => {
      if (word !== 0) text += `;${at}:${word}`
    })
    if (this.#tried.has(text)) return false
    this.#tried.add(text)
    return true
  }

  #noteStuck(returned: Mark): void {
    if (this.#stuckAt.length > 0 && this.#stack.length <= this.#longest.length) return
    this.#longest = this.#stack.map(({ mark }) => mark.operation)
    this.#stuckAt = [returned.operation]
    for (let mark = this.#known.next; mark !== null && mark !== returned; mark = mark.next) {
      if (mark.isCall && mark.operation !== returned.operation) this.#stuckAt.push(mark.operation)
    }
  }

  #violation(): Verdict {
    const [stuck] = this.#stuckAt
    const after = this.#longest.at(-1)
    return {
      verdict: 'violation',
      steps: this.#steps,
      key: this.#key,
      explanation: `Key ${this.#key}: no order of the operations explains ${stuck === undefined ? 'them' : describe(stuck)}${after === undefined ? '' : `; the longest order that does ends with ${describe(after)}`}.`,
      prefix: this.#longest,
      stuckAt: this.#stuckAt,
    }
  }

  #gaveUp(): Verdict {
    return {
      verdict: 'gaveUp',
      steps: this.#steps,
      key: this.#key,
      explanation: `Key ${this.#key}: neither proved nor refuted after ${this.#maxSteps} steps; use fewer concurrent operations per key.`,
    }
  }
}

/** Its result and the value after it are the same whatever the value was before. */
function isBlind({ command, outcome }: Operation): boolean {
  return command.op === 'put' || (command.op === 'delete' && outcome === 'unknown')
}

/** The operation's result fits `value`, or might after something was appended to it. */
function couldSee({ command, result }: Operation, value: string | null): boolean {
  const canBecome = (seen: string | null): boolean => seen === value || seen?.startsWith(value ?? '') === true
  switch (command.op) {
    case 'put':
      return false
    case 'get':
      return typeof result !== 'string' ? value === null : canBecome(result)
    case 'cas':
      return result === false || canBecome(command.expect)
    case 'append':
      return typeof result === 'number' && (value?.length ?? 0) + command.value.length <= result
    case 'delete':
      return true
  }
}

/** `c1's get(x) = "2" (#17, 1.250 to 3.500 ms)` */
export function describe(operation: Operation): string {
  const { client, command, outcome, result, id, invokedAtMs, completedAtMs } = operation
  const args =
    command.op === 'get' || command.op === 'delete'
      ? command.key
      : command.op === 'cas'
        ? `${command.key}, ${JSON.stringify(command.expect)} to ${JSON.stringify(command.value)}`
        : `${command.key}, ${JSON.stringify(command.value)}`
  const told = outcome === 'ok' ? ` = ${JSON.stringify(result)}` : ` (${outcome})`
  const until = completedAtMs === null ? 'never' : `${completedAtMs.toFixed(3)} ms`
  return `${client}'s ${command.op}(${args})${told} (#${id}, ${invokedAtMs.toFixed(3)} to ${until})`
}
