// Every configuration of the log, in order, so that truncating the log brings the previous one back
// (braft ConfigurationManager, trap T52).

import type { ConfigurationEntry, LogIndex } from '../rules/types.ts'

export class ConfigurationHistory {
  #entries: ConfigurationEntry[]
  /** The one that came with the newest snapshot; null without a snapshot. */
  #snapshot: ConfigurationEntry | null = null

  constructor(entries: readonly ConfigurationEntry[] = []) {
    this.#entries = [...entries]
  }

  /** The one that came with the newest snapshot, and by its id that snapshot itself; null without a snapshot. */
  get snapshot(): ConfigurationEntry | null {
    return this.#snapshot
  }

  /** A newer snapshot stands for the entries up to its end; `entry.id` is that end. */
  setSnapshot(entry: ConfigurationEntry): void {
    this.#snapshot = entry
  }

  /** Entries come in ascending order of index. */
  add(entry: ConfigurationEntry): void {
    this.#entries.push(entry)
  }

  /** The newest one; null when neither log nor snapshot holds any. */
  newest(): ConfigurationEntry | null {
    return this.#entries.at(-1) ?? this.#snapshot
  }

  /** The one in force at `index`, and all that came after it, in order. */
  since(index: LogIndex): readonly ConfigurationEntry[] {
    const later = this.#entries.filter(({ id }) => id.index > index)
    const inForce = this.at(index)
    return inForce === null ? later : [inForce, ...later]
  }

  /** In order, beginning with that of the newest snapshot. */
  all(): readonly ConfigurationEntry[] {
    return this.#snapshot === null ? this.#entries : [this.#snapshot, ...this.#entries]
  }

  /** The one in force at `index`. */
  at(index: LogIndex): ConfigurationEntry | null {
    return this.#entries.findLast((entry) => entry.id.index <= index) ?? this.#snapshot
  }

  truncateSuffix(lastKept: LogIndex): void {
    while ((this.#entries.at(-1)?.id.index ?? 0) > lastKept) this.#entries.pop()
  }

  truncatePrefix(firstKept: LogIndex): void {
    this.#entries = this.#entries.filter((entry) => entry.id.index >= firstKept)
  }

  /** What the log held is gone; what came with the snapshot stays. */
  clear(): void {
    this.#entries = []
  }
}
