// No file imports itself, over whatever detours: what stands in a circle can only be understood, and changed, as a whole.

import { describe, expect, it } from 'vitest'
import { importsOf, sourcesIn } from './support/sources.ts'

/** Every circle once, as the files it goes through. */
function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const at = path.indexOf(file)
    if (at >= 0) circles.push([...path.slice(at), file])
    if (at >= 0 || done.has(file)) return
    path.push(file)
    for (const imported of imports.get(file) ?? []) visit(imported)
    path.pop()
    done.add(file)
  }
  for (const file of imports.keys()) visit(file)
  return circles
}

describe('imports', () => {
  it('of src and tools go round in no circle, types included', () => {
    const imports = new Map(sourcesIn('src', 'tools').map((source) => [source.path, importsOf(source)]))
    expect(imports.size).toBeGreaterThan(100)
    expect(circlesIn(imports).map((circle) => circle.join(' > '))).toEqual([])
  })

  it('that go round are found, at any length', () => {
    const imports = new Map([
      ['a', ['b', 'd']],
      ['b', ['c']],
      ['c', ['a']],
      ['d', ['d']],
      ['e', ['a']],
    ])
    expect(circlesIn(imports)).toEqual([
      ['a', 'b', 'c', 'a'],
      ['d', 'd'],
    ])
  })
})
