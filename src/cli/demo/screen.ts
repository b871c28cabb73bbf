// What a person sees while the demo runs: lines above, on a terminal a progress bar below.

import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import { paint } from '../output.ts'

export class Screen {
  readonly #stream: NodeJS.WriteStream
  #bars: MultiBar | null = null
  #bar: SingleBar | null = null

  /** With `json` everything goes to stderr. */
  constructor(json: boolean) {
    this.#stream = json ? process.stderr : process.stdout
  }

  line(text: string): void {
    if (this.#bars === null) {
      this.#stream.write(`${text}\n`)
      return
    }
    this.#bars.log(`${text}\n`)
    // At once: lines that wait for the next redraw are lost when the bar ends first.
    this.#bars.update()
  }

  /** One step of the story. */
  step(text: string): void {
    this.line(paint('bold', text, this.#stream))
  }

  /** What a member does by itself. */
  event(member: string, text: string): void {
    const time = new Date().toISOString().slice(11, 23)
    this.line(`  ${paint('dim', time, this.#stream)}  ${paint('cyan', member, this.#stream)}  ${text}`)
  }

  /** @param format how a number is shown */
  startProgress(total: number, unit: string, format: (value: number) => string = String): void {
    if (!this.#stream.isTTY) return
    this.#bars = new MultiBar(
      {
        stream: this.#stream,
        formatValue: (value, _, type) =>
          type === 'value' || type === 'total' ? format(value) : String(value),
        format: `  {bar} {percentage}% | {value}/{total} ${unit}`,
        hideCursor: true,
        clearOnComplete: true,
      },
      Presets.shades_classic,
    )
    this.#bar = this.#bars.create(total, 0)
  }

  progress(done: number): void {
    this.#bar?.update(done)
  }

  endProgress(): void {
    this.#bars?.stop()
    this.#bars = null
    this.#bar = null
  }
}
