// Every line that a member can log has its row in docs/operations.md, and each row is still logged.

import { describe, expect, it } from 'vitest'
import { sourcesIn } from '../tidy/support/sources.ts'
import { logLinesOf } from './log-lines.ts'
import { read, rowsOf } from './support.ts'

const LEVEL = /^(debug|info|warn|error)$/

const section = read('docs/operations.md')
  .split('\n## ')
  .find((part) => part.startsWith('Logs\n'))
const rows = rowsOf(section ?? '').filter(([first = '']) => LEVEL.test(first))
const listed = rows.map(([level = '', message = '']) => `${level} ${message.replace(/^`+ ?| ?`+$/g, '')}`)
const found = logLinesOf(sourcesIn('src'))
const logged = found.lines.map(({ level, message }) => `${level} ${message}`)

describe('log messages', () => {
  it('can all be read where they are logged: as literals, templates, or a constant just above', () => {
    expect(found.unreadable).toEqual([])
    expect(logged.length).toBeGreaterThan(100)
  })

  it('have their row in docs/operations.md', () => {
    expect([...new Set(logged)].filter((line) => !listed.includes(line))).toEqual([])
  })

  it('that have a row are logged, and have one row', () => {
    expect(listed.filter((line) => !logged.includes(line))).toEqual([])
    expect(listed).toEqual([...new Set(listed)])
  })

  it('have a meaning, and what to do', () => {
    expect(rows.filter((cells) => cells.length !== 4 || cells.some((cell) => cell === ''))).toEqual([])
  })
})

describe('what is looked for', () => {
  const look = (text: string) => logLinesOf([{ path: 'src/some.ts', text, code: text }])
  const messages = (text: string) => look(text).lines.map(({ level, message }) => `${level} ${message}`)

  it.each([
    ["logger.warn({ a: f(1, 2) }, 'One.')", ['warn One.']],
    [`this.#logger.info({}, \`Two of \${names.join(', ')} \` + 'and more.')`, ['info Two of … and more.']],
    ["core.logger\n  .error(\n    {},\n    'Three.',\n  )", ['error Three.']],
    ["logger[isBad ? 'warn' : 'info']({}, 'Four.')", ['warn Four.', 'info Four.']],
    ["const text = on\n  ? 'Five.'\n  : 'Six.'\nlogger.info({}, text)", ['info Five.', 'info Six.']],
    ["logger?.info({}, on ? 'Seven.' : 'Eight.')", ['info Seven.', 'info Eight.']],
  ])('%s', (text, lines) => {
    expect(look(text).unreadable).toEqual([])
    expect(messages(text)).toEqual(lines)
  })

  it.each([
    'logger.warn({}, wordsOf(it))',
    "logger.warn({}, 'One, ' + wordsOf(it))",
    "const text = 'One.'\nconst say = (text) => logger.warn({}, text)",
    "logger.warn({}, on ? 'One.' : wordsOf(it))",
    "logger[level]({}, 'One.')",
    "logger['warn']",
    'const say = logger.warn',
    "log.warn({}, 'One.')",
    "this.#log.error({}, 'One.')",
    "const { warn, group } = this.#options.logger\nwarn({}, 'One.')",
  ])('is not overlooked: %s', (text) => {
    expect(look(text).unreadable).toHaveLength(1)
  })
})
