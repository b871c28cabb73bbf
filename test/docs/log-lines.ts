// Finds every line that `src` can log: the level and the message of each call of a logger, a `…` for each hole. What it
// cannot read it names, so that no line can hide.

import { codeOf, type Source as File } from '../tidy/support/sources.ts'

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly path: string
}

export interface Found {
  readonly lines: readonly LogLine[]
  /** `path: text` of each call whose level or message is not to be seen. */
  readonly unreadable: readonly string[]
}

const LEVELS = /^(debug|info|warn|error)$/
/** Functions that log, as errors, what they are handed, and where they do so. */
const REPORTERS: readonly { readonly within: string; readonly name: RegExp }[] = [
  { within: 'src/storage/', name: /\breport\(/g },
  { within: 'src/transport/nats/', name: /\breporter\(/g },
]
/** Where such a function has its one call of the logger, with a message that is in its hands. */
const HANDED_IN: ReadonlySet<string> = new Set([
  'src/storage/sqlite/sqlite-storage.ts: message',
  'src/storage/memory/memory-storage.ts: message',
  'src/transport/nats/nats-transport.ts: what',
])
/** The logger itself. */
const LOGGERS: ReadonlySet<string> = new Set(['src/runtime/logger.ts', 'src/cli/logger.ts'])

const LONGEST_HOLE = 500
const LONGEST_LITERAL = 20_000

/** A logger that hands on what was logged elsewhere. */
const PASSED_ON = 'spokenWarnings'

/** Whose method `error` makes one, or tells a browser. */
const NO_LOGGERS = /(?:core|world|console)$/

/** `code` without the holes of templates: they belong to their text. */
type Source = Pick<File, 'path' | 'text' | 'code'>

export function logLinesOf(files: readonly Source[]): Found {
  const lines: LogLine[] = []
  const unreadable: string[] = []
  for (const { path, text, code } of files) {
    if (LOGGERS.has(path)) continue
    const source = { path, text, code: withoutHoles(text, code) }
    for (const call of callsIn(source)) {
      const messages = call.levels.length === 0 ? [] : messagesOf(source, call)
      if (messages === null) continue
      if (messages.length === 0) unreadable.push(`${source.path}: ${call.text}`)
      for (const message of messages)
        for (const level of call.levels) lines.push({ level, message, path: source.path })
    }
  }
  return { lines, unreadable }
}

interface Call {
  /** None: it cannot be seen. */
  readonly levels: readonly string[]
  /** Where the expression of the message begins and ends; empty when there is none. */
  readonly from: number
  readonly to: number
  readonly text: string
}

function callsIn({ path, text, code }: Source): Call[] {
  const calls: Call[] = []
  const add = (at: number, levels: readonly string[], open: number, argument: number): void => {
    const [from, to] = code[open] === '(' ? (argumentsOf(code, open)[argument] ?? [open, open]) : [open, open]
    calls.push({ levels, from, to, text: text.slice(at, Math.max(to, at + 40)).replace(/\s+/g, ' ') })
  }
  for (const { index, 0: found } of code.matchAll(/[lL]ogger\s*\??\.\s*\w+\s*/g)) {
    const [level = ''] = /\w+(?=\s*$)/.exec(found) ?? []
    if (LEVELS.test(level)) add(index, [level], index + found.length, 1)
  }
  for (const { index, 0: found } of code.matchAll(/[lL]ogger\s*(\?\.)?\[/g)) {
    const bracket = index + found.length - 1
    const end = closing(code, bracket)
    const levels = stringsIn(text.slice(bracket, end)).filter((word) => LEVELS.test(word))
    if (code[bracket - 1] !== ']') add(index, levels, end + 1, 1)
  }
  // A logger by another name.
  for (const { index, 0: found } of code.matchAll(/[\w#.?]+\.(debug|info|warn|error)\(/g)) {
    const receiver = found.replace(/\??\.\w+\($/, '')
    if (
      /[lL]ogger$/.test(receiver) ||
      receiver === PASSED_ON ||
      (found.endsWith('.error(') && NO_LOGGERS.test(receiver))
    )
      continue
    add(index, [], index, 0)
  }
  for (const { index } of code.matchAll(/\{[^{}]*\b(debug|info|warn)\b[^{}]*\}\s*=\s*[\w.#]*[lL]ogger\b/g))
    add(index, [], index, 0)
  for (const { name } of REPORTERS.filter(({ within }) => path.startsWith(within))) {
    for (const { index, 0: found } of code.matchAll(name)) {
      const open = index + found.length - 1
      const isDeclared = /^\w+: string$/.test(code.slice(open + 1, closing(code, open)))
      if (!isDeclared) add(index, ['error'], open, 0)
    }
  }
  return calls
}

/** Null: it is handed in, and its callers are looked at. */
function messagesOf(source: Source, { from, to }: Call): readonly string[] | null {
  const text = source.text.slice(from, to).trim()
  if (!/^[A-Za-z_$]\w*$/.test(text))
    return literalsOf(source.text.slice(from, to), source.code.slice(from, to))
  if (HANDED_IN.has(`${source.path}: ${text}`) && isParameter(source.code, from, text)) return null
  if (
    new RegExp(`\\(${text}(: string\\): void|\\)) =>\\s*[\\w.#]*report\\($`).test(source.code.slice(0, from))
  )
    return null
  return constantAbove(source, from, text)
}

/** Named just above: the place before this one at which the name stands is where it is given its value. */
function constantAbove({ text, code }: Source, before: number, name: string): readonly string[] {
  const last = [...code.slice(0, before).matchAll(new RegExp(`(?<![.\\w])${name}\\b`, 'g'))].at(-1)
  if (last === undefined || !/\bconst\s+$/.test(code.slice(0, last.index))) return []
  const equals = code.indexOf('=', last.index)
  const [from, to] = [equals + 1, endOfExpression(text, code, equals + 1)]
  return literalsOf(text.slice(from, to), code.slice(from, to))
}

function isParameter(code: string, before: number, name: string): boolean {
  const last = [...code.slice(0, before).matchAll(new RegExp(`\\b${name}\\b`, 'g'))].at(-1)
  return last !== undefined && /^: string\)/.test(code.slice(last.index + name.length))
}

/** A statement without semicolon ends with its line, unless the next one goes on. */
function endOfExpression(text: string, code: string, from: number): number {
  let end = from
  for (;;) {
    const line = code.indexOf('\n', end)
    if (line < 0) return code.length
    const rest = code.slice(line + 1)
    const isOpen = /[=?:+(]\s*$/.test(text.slice(from, line)) || text.slice(from, line).trim() === ''
    if (!isOpen && !/^\s*[?:+]/.test(rest)) return line
    end = line + 1
  }
}

/** Literals, templates, sums of them, and a choice between some: whatever else there is makes it unreadable. */
function literalsOf(text: string, code: string): readonly string[] {
  const choice = topLevel(code, '?')
  if (choice >= 0) {
    const colon = topLevel(code, ':', choice + 1)
    if (colon < 0) return []
    const first = literalsOf(text.slice(choice + 1, colon), code.slice(choice + 1, colon))
    const second = literalsOf(text.slice(colon + 1), code.slice(colon + 1))
    return first.length > 0 && second.length > 0 ? [...first, ...second] : []
  }
  let message = ''
  let rest = text.trim().replace(/,$/, '').trim()
  for (;;) {
    const literal = literalAt(rest)
    if (literal === null) return []
    message += literal.value
    rest = rest.slice(literal.length).trim()
    if (rest === '') return [message]
    if (!rest.startsWith('+')) return []
    rest = rest.slice(1).trim()
  }
}

/** The string or template that the text begins with, a `…` for each hole. */
function literalAt(text: string): { readonly value: string; readonly length: number } | null {
  const quote = text[0]
  if (quote !== "'" && quote !== '"' && quote !== '`') return null
  let value = ''
  for (let at = 1; at < text.length; at++) {
    const char = text[at] ?? ''
    if (char === quote) return { value, length: at + 1 }
    if (char === '\\') value += text[++at] ?? ''
    else if (quote === '`' && char === '$' && text[at + 1] === '{') {
      value += '…'
      // A hole is code of its own: its strings may hold brackets.
      const hole = text.slice(at + 1, at + 1 + LONGEST_HOLE)
      at += 1 + closing(codeOf(hole), 0)
    } else value += char
  }
  return null
}

function withoutHoles(text: string, code: string): string {
  let flat = ''
  while (flat.length < text.length) {
    const at = flat.length
    const char = text[at] ?? ''
    if (code[at] === char) {
      flat += char
      continue
    }
    const literal = literalAt(text.slice(at, at + LONGEST_LITERAL))
    const end = literal === null ? endOfBlank(text, code, at) : at + literal.length
    flat += text.slice(at, end).replace(/[^\n]/g, ' ')
  }
  return flat
}

/** Of a comment, or a regular expression. */
function endOfBlank(text: string, code: string, from: number): number {
  const isBlock = text.startsWith('/*', from)
  if (isBlock) return text.indexOf('*/', from) + 2
  let end = from + 1
  while (end < text.length && text[end] !== '\n' && (text.startsWith('//', from) || code[end] === ' ')) end++
  return end
}

/** Where the bracket that opens here is closed. */
function closing(code: string, open: number): number {
  let depth = 0
  for (let at = open; at < code.length; at++) {
    if ('([{'.includes(code[at] ?? ' ')) depth++
    if (')]}'.includes(code[at] ?? ' ') && --depth === 0) return at
  }
  return code.length
}

function argumentsOf(code: string, open: number): (readonly [from: number, to: number])[] {
  const end = closing(code, open)
  const ends: (readonly [number, number])[] = []
  let [from, depth] = [open + 1, 0]
  for (let at = open + 1; at < end; at++) {
    const char = code[at] ?? ' '
    if ('([{'.includes(char)) depth++
    if (')]}'.includes(char)) depth--
    if (char !== ',' || depth > 0) continue
    ends.push([from, at])
    from = at + 1
  }
  ends.push([from, end])
  return ends
}

function topLevel(code: string, char: '?' | ':', from = 0): number {
  let depth = 0
  for (let at = from; at < code.length; at++) {
    if ('([{'.includes(code[at] ?? ' ')) depth++
    if (')]}'.includes(code[at] ?? ' ')) depth--
    if (depth === 0 && code[at] === char && !'?.'.includes(code[at + 1] ?? ' ')) return at
  }
  return -1
}

function stringsIn(text: string): string[] {
  return [...text.matchAll(/'([^']*)'/g)].map(([, word = '']) => word)
}
