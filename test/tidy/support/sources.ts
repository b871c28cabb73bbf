// The files of the repository as the house rules see them: paths, lines, imports, and code without comments and strings.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export interface Source {
  /** Relative to the repository, with forward slashes. */
  readonly path: string
  readonly text: string
  /** The code alone: comments and the insides of strings are blanked, lines stay where they are. */
  readonly code: string
}

/** All TypeScript files below these folders. */
export function sourcesIn(...folders: string[]): readonly Source[] {
  return filesIn(folders, /\.ts$/).map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    return { path, text, code: codeOf(text) }
  })
}

/** All files below these folders (or these files) whose name fits. */
export function filesIn(places: readonly string[], name: RegExp): readonly string[] {
  return places
    .filter((place) => existsSync(join(ROOT, place)))
    .flatMap((place) => walk(join(ROOT, place)))
    .filter((path) => name.test(path))
    .map((path) => relative(ROOT, path).split(sep).join('/'))
    .sort()
}

function walk(place: string): string[] {
  if (statSync(place).isFile()) return [place]
  const entries = readdirSync(place, { withFileTypes: true })
  return entries.flatMap((entry) => {
    const path = join(place, entry.name)
    return entry.isDirectory() ? walk(path) : [path]
  })
}

/** Relative imports of a file, as paths relative to the repository. Types count: a dependency is a dependency. */
export function importsOf({ path, text }: Source): readonly string[] {
  const found = text.matchAll(
    /^\s*(?:import|export)\b[^'"]*?\bfrom\s+'(\.[^']+)'|\bimport\s*\(?\s*'(\.[^']+)'/gms,
  )
  return [...found].map((match) => {
    const target = resolve(ROOT, dirname(path), match[1] ?? match[2] ?? '')
    return relative(ROOT, target).split(sep).join('/')
  })
}

/** `path:line: text` for every line of code in which the pattern is found. */
export function linesWith(
  source: Source,
  pattern: RegExp,
  where: 'code' | 'text' = 'code',
): readonly string[] {
  const shown = source.text.split('\n')
  return source[where].split('\n').flatMap((line, i) => {
    return pattern.test(line) ? [`${source.path}:${i + 1}: ${(shown[i] ?? '').trim()}`] : []
  })
}

/** A scanner of one pass: it knows comments, strings, templates and their holes, and regular expressions. */
export function codeOf(text: string): string {
  let code = ''
  let at = 0
  const holes: number[] = []
  let depth = 0
  const blank = (to: number): void => {
    code += text.slice(at, to).replace(/[^\n]/g, ' ')
    at = to
  }
  const pastString = (quote: string, from: number): number => {
    let end = from
    while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1
    return Math.min(text.length, end + 1)
  }
  /** To the end of a template, or to where its next hole begins. */
  const pastTemplate = (from: number): number => {
    for (let end = from; end < text.length; end++) {
      if (text[end] === '\\') end++
      else if (text[end] === '`') return end + 1
      else if (text[end] === '$' && text[end + 1] === '{') {
        holes.push(depth++)
        return end + 2
      }
    }
    return text.length
  }
  while (at < text.length) {
    const two = text.slice(at, at + 2)
    const char = text[at] ?? ''
    if (two === '//') blank(endOr(text.indexOf('\n', at), text))
    else if (two === '/*') blank(endOr(text.indexOf('*/', at) + 2, text, 2))
    else if (char === "'" || char === '"') blank(pastString(char, at + 1))
    else if (char === '`') blank(pastTemplate(at + 1))
    else if (char === '/' && /(^|[=(,:[!&|?{};]|=>|return)\s*$/.test(code.slice(-20)))
      blank(pastRegExp(text, at + 1))
    else {
      if (char === '{') depth++
      if (char === '}') depth--
      if (char === '}' && holes.at(-1) === depth) {
        holes.pop()
        blank(pastTemplate(at + 1))
        continue
      }
      code += char
      at++
    }
  }
  return code
}

function endOr(end: number, text: string, least = 0): number {
  return end < least || end < 0 ? text.length : end
}

function pastRegExp(text: string, from: number): number {
  let inClass = false
  for (let end = from; end < text.length; end++) {
    const char = text[end]
    if (char === '\\') end++
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (char === '\n' || (char === '/' && !inClass)) return end + 1
  }
  return text.length
}
