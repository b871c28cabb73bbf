// Finds the subscriptions that match a subject, one token at a time: the cost follows the length of the subject, not
// the number of subscriptions.

interface TrieNode<T> {
  readonly children: Map<string, TrieNode<T>>
  /** Subscriptions that end here. */
  readonly here: Set<T>
  /** Subscriptions that end here in `>`: they match one or more further tokens. */
  readonly below: Set<T>
}

function createNode<T>(): TrieNode<T> {
  return { children: new Map(), here: new Set(), below: new Set() }
}

export class SubjectTrie<T> {
  readonly #root: TrieNode<T> = createNode()

  add(subject: string, item: T): void {
    let node = this.#root
    for (const token of subject.split('.')) {
      if (token === '>') {
        node.below.add(item)
        return
      }
      let child = node.children.get(token)
      if (child === undefined) {
        child = createNode()
        node.children.set(token, child)
      }
      node = child
    }
    node.here.add(item)
  }

  remove(subject: string, item: T): void {
    remove(this.#root, subject.split('.'), 0, item)
  }

  /** Calls `visit` once for every item whose subject matches. */
  match(subject: string, visit: (item: T) => void): void {
    match(this.#root, subject, 0, visit)
  }
}

function match<T>(node: TrieNode<T>, subject: string, start: number, visit: (item: T) => void): void {
  for (const item of node.below) visit(item)
  const dot = subject.indexOf('.', start)
  const token = dot < 0 ? subject.slice(start) : subject.slice(start, dot)
  step(node.children.get(token), subject, dot, visit)
  step(node.children.get('*'), subject, dot, visit)
}

function step<T>(
  child: TrieNode<T> | undefined,
  subject: string,
  dot: number,
  visit: (item: T) => void,
): void {
  if (child === undefined) return
  if (dot < 0) for (const item of child.here) visit(item)
  else match(child, subject, dot + 1, visit)
}

/** True when nothing is left below `node`, so that its parent can forget it. */
function remove<T>(node: TrieNode<T>, tokens: readonly string[], at: number, item: T): boolean {
  const token = tokens[at]
  if (token === undefined) node.here.delete(item)
  else if (token === '>') node.below.delete(item)
  else {
    const child = node.children.get(token)
    if (child !== undefined && remove(child, tokens, at + 1, item)) node.children.delete(token)
  }
  return node.here.size === 0 && node.below.size === 0 && node.children.size === 0
}
