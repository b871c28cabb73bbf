// Reads and rewrites scenario scripts: blocks of commands, `----`, and what they print, as in etcd's datadriven files.

export interface Block {
  /** Commands and comments as they stand in the file. */
  readonly head: readonly string[]
  readonly expected: string
  readonly line: number
}

const SEPARATOR = '----'

/** Blocks end at a blank line. Blocks without `----` are comments. */
export function parseScript(text: string): Block[] {
  const blocks: Block[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    if (lines[at]?.trim() === '') continue
    const start = at
    while (at < lines.length && lines[at]?.trim() !== '') at++
    const block = lines.slice(start, at)
    const separator = block.indexOf(SEPARATOR)
    const head = separator < 0 ? block : block.slice(0, separator)
    const expected = separator < 0 ? '' : block.slice(separator + 1).join('\n')
    blocks.push({ head, expected, line: start + 1 })
  }
  return blocks
}

export function commandsOf({ head }: Block): string[] {
  return head.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
}

export function printScript(blocks: readonly Block[]): string {
  const print = (block: Block): string =>
    commandsOf(block).length === 0
      ? block.head.join('\n')
      : [...block.head, SEPARATOR, block.expected].join('\n')
  return `${blocks.map(print).join('\n\n')}\n`
}
