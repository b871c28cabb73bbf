// JSON with no patience: one value and nothing after it, and no key twice in an object. `JSON.parse` lets the last win.

/** @throws SyntaxError that names the repeated key, or whatever else is wrong. */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  const open: { readonly keys: Set<string> | null; isKey: boolean }[] = []
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    const inner = open.at(-1)
    if (token === '{') open.push({ keys: new Set(), isKey: true })
    else if (token === '[') open.push({ keys: null, isKey: false })
    else if (token === '}' || token === ']') open.pop()
    else if (inner === undefined) continue
    else if (token === ',' || token === ':') inner.isKey = token === ',' && inner.keys !== null
    else if (inner.isKey) {
      const key = String(JSON.parse(token))
      if (inner.keys?.has(key)) throw new SyntaxError(`The key ${key} is there twice: ${text}`)
      inner.keys?.add(key)
    }
  }
  return value
}
