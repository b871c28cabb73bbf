// Which subscriptions a subject reaches: the wildcards `*` (one token) and a trailing `>` (one or more).

interface Branch<T> {
  readonly literals: Map<string, Branch<T>>
  star: Branch<T> | null
  readonly here: Set<T>
  readonly tail: Set<T>
}

const newBranch = <T>(): Branch<T> => ({ literals: new Map(), star: null, here: new Set(), tail: new Set() })

/** True for a subject that a message may be sent to: no empty token, no wildcard, no white space. */
export function isLiteralSubject(subject: string): boolean {
  return /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(subject)
}

/** True for what may be subscribed to: wildcards only as whole tokens, `>` only at the end. */
export function isSubjectPattern(pattern: string): boolean {
  const tokens = pattern.split('.')
  return tokens.every(
    (token, at) => token === '*' || (token === '>' && at === tokens.length - 1) || /^[^\s*>]+$/.test(token),
  )
}

export class SubjectTree<T> {
  readonly #root: Branch<T> = newBranch()

  /** Returns the function that takes it out again. */
  insert(pattern: string, value: T): () => void {
    const tokens = pattern.split('.')
    const endsOpen = tokens.at(-1) === '>'
    let branch = this.#root
    for (const token of endsOpen ? tokens.slice(0, -1) : tokens) branch = descend(branch, token)
    const place = endsOpen ? branch.tail : branch.here
    place.add(value)
    return () => {
      place.delete(value)
      if (place.size === 0) this.#prune(tokens)
    }
  }

  /** Everything that matches, in order of insertion per branch. */
  match(subject: string): T[] {
    const found: T[] = []
    collect(this.#root, subject.split('.'), 0, found)
    return found
  }

  // Inboxes have names of their own for each process life; without this they would pile up.
  #prune(tokens: readonly string[]): void {
    const path: { parent: Branch<T>; token: string; branch: Branch<T> }[] = []
    let branch = this.#root
    for (const token of tokens) {
      const child = token === '*' ? branch.star : branch.literals.get(token)
      if (child === undefined || child === null) break
      path.push({ parent: branch, token, branch: child })
      branch = child
    }
    for (const step of path.reverse()) {
      const { literals, star, here, tail } = step.branch
      if (literals.size > 0 || star !== null || here.size > 0 || tail.size > 0) return
      if (step.token === '*') step.parent.star = null
      else step.parent.literals.delete(step.token)
    }
  }
}

function descend<T>(branch: Branch<T>, token: string): Branch<T> {
  if (token === '*') {
    branch.star ??= newBranch()
    return branch.star
  }
  let child = branch.literals.get(token)
  if (child === undefined) {
    child = newBranch()
    branch.literals.set(token, child)
  }
  return child
}

function collect<T>(branch: Branch<T>, tokens: readonly string[], at: number, found: T[]): void {
  const token = tokens[at]
  if (token === undefined) {
    for (const value of branch.here) found.push(value)
    return
  }
  for (const value of branch.tail) found.push(value)
  const literal = branch.literals.get(token)
  if (literal !== undefined) collect(literal, tokens, at + 1, found)
  if (branch.star !== null) collect(branch.star, tokens, at + 1, found)
}
