// Reads the documentation as the tests need it: text, links and tables.

import { readdirSync, readFileSync } from 'node:fs'

export const root = new URL('../../', import.meta.url)

export function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

export const RULE_FILES: readonly string[] = readdirSync(new URL('src/rules', root)).filter((name) =>
  name.endsWith('.ts'),
)

export interface Link {
  readonly text: string
  /** As written: relative to its page, or an address. */
  readonly target: string
}

/** Links outside of code blocks. */
export function linksOf(markdown: string): Link[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '')
  return [...prose.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g)].map(([, text = '', target = '']) => ({
    text,
    target,
  }))
}

/** Everything that stands in backquotes, in order. */
export function codeIn(line: string): string[] {
  return [...line.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

/** Cells of the rows of all tables, headings included. */
export function rowsOf(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}

export interface Shown {
  readonly args: readonly string[]
  readonly says: string
}

/** The commands of each block of a section, in order, each with what stands below it. */
export function shownIn(page: string, heading: string): readonly (readonly Shown[])[] {
  const section = page.split('\n## ').find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const blocks = [...section.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
  return blocks.map((block) =>
    block
      .split(/^\$ quorate /m)
      .slice(1)
      .map((part) => {
        const [command = '', ...lines] = part.split('\n')
        return { args: command.split(' '), says: lines.join('\n').trimEnd() }
      }),
  )
}
