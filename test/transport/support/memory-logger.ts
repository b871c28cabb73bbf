// Keeps what was logged, for tests that look at it.

import type { LogFields, Logger } from '../../../src/runtime/logger.ts'

export interface LogLine {
  readonly level: keyof Logger
  readonly fields: LogFields
  readonly message: string
}

export class MemoryLogger implements Logger {
  readonly lines: LogLine[] = []
  #waiting: (() => void)[] = []

  debug(fields: LogFields, message: string): void {
    this.#add({ level: 'debug', fields, message })
  }
  info(fields: LogFields, message: string): void {
    this.#add({ level: 'info', fields, message })
  }
  warn(fields: LogFields, message: string): void {
    this.#add({ level: 'warn', fields, message })
  }
  error(fields: LogFields, message: string): void {
    this.#add({ level: 'error', fields, message })
  }

  /** Resolves with the first line, past or future, that fits. */
  async until(fits: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(fits)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #add(line: LogLine): void {
    this.lines.push(line)
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
