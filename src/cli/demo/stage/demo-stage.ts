// The demo as a stage: its members can be crashed, paused, cut off, and brought back by whoever looks at the page.

import type { PageMessage, StageAction, StageCommand, StagedMember } from '../../../page/page-protocol.ts'
import { STAGE_ACTIONS } from '../../../page/page-protocol.ts'
import type { Stage } from '../../../page/server/source.ts'
import { messageOf, sheltered } from '../../../runtime/errors.ts'
import type { Cluster } from '../cluster.ts'
import { Stall } from './stall.ts'

type Note = PageMessage & { readonly kind: 'note' }

const MAX_NOTES = 500

export class DemoStage implements Stage {
  readonly actions: readonly StageAction[] = STAGE_ACTIONS
  readonly #stalls: ReadonlyMap<string, Stall>
  readonly #running = new Set<string>()
  readonly #busy = new Set<string>()
  readonly #listeners = new Set<(message: PageMessage) => void>()
  readonly #notes: Note[] = []
  #cluster: Cluster | null = null

  constructor(ids: readonly string[]) {
    this.#stalls = new Map(ids.map((id) => [id, new Stall()]))
  }

  /** Whose members these are. */
  set(cluster: Cluster): void {
    this.#cluster = cluster
  }

  stallOf(id: string): Stall | undefined {
    return this.#stalls.get(id)
  }

  get notes(): readonly Note[] {
    return this.#notes
  }

  get members(): readonly StagedMember[] {
    return [...this.#stalls].map(([id, { isPaused, isCut }]) => {
      const state = this.#running.has(id) ? (isPaused ? 'paused' : 'running') : 'crashed'
      return { id, state, isCut }
    })
  }

  on(listener: (message: PageMessage) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  note(text: string, tone: Note['tone'] = 'step'): void {
    const note: Note = { kind: 'note', text, tone, atMs: Date.now() }
    this.#notes.push(note)
    if (this.#notes.length > MAX_NOTES) this.#notes.shift()
    this.#tell(note)
  }

  /** A member has come up or gone in the course of the story. */
  isRunning(id: string, running: boolean): void {
    if (running) this.#running.add(id)
    else this.#running.delete(id)
    this.#tellMembers()
  }

  async act({ action, member: id }: StageCommand): Promise<string | null> {
    const stall = this.#stalls.get(id)
    if (stall === undefined) return `There is no member ${id} on this stage.`
    if (this.#busy.has(id)) return `Member ${id} is just being stopped or started: a moment.`
    const refusal = refusalOf(action, id, this.#running.has(id), stall)
    if (refusal !== null) return refusal
    this.#busy.add(id)
    try {
      this.note(
        WORDS[action](id),
        action === 'start' || action === 'resume' || action === 'heal' ? 'step' : 'fault',
      )
      await this.#do(action, id, stall)
      return null
    } catch (error) {
      return `That did not work: ${messageOf(error)}`
    } finally {
      this.#busy.delete(id)
      this.#tellMembers()
    }
  }

  async #do(action: StageAction, id: string, stall: Stall): Promise<void> {
    switch (action) {
      case 'crash':
        stall.drop()
        this.#running.delete(id)
        return this.#cluster?.kill(id)
      case 'start':
        await this.#cluster?.start(id)
        this.#running.add(id)
        return
      case 'pause':
        return stall.pause()
      case 'resume':
        return stall.resume()
      case 'cut':
        return stall.cut()
      case 'heal':
        return stall.heal()
    }
  }

  #tellMembers(): void {
    this.#tell({ kind: 'stage', members: this.members })
  }

  #tell(message: PageMessage): void {
    // Who throws is told nothing more.
    for (const listener of [...this.#listeners])
      sheltered(
        () => listener(message),
        () => this.#listeners.delete(listener),
      )
  }
}

const WORDS: Readonly<Record<StageAction, (id: string) => string>> = {
  crash: (id) => `${id} is killed.`,
  start: (id) => `${id} is started again from its files.`,
  pause: (id) => `${id} stands still: its timers and messages wait.`,
  resume: (id) => `${id} goes on, and hears all that it has missed.`,
  cut: (id) => `${id} is cut off: nothing that it says or is sent gets through.`,
  heal: (id) => `${id} is connected again.`,
}

function refusalOf(action: StageAction, id: string, isRunning: boolean, stall: Stall): string | null {
  switch (action) {
    case 'start':
      return isRunning ? `Member ${id} runs already.` : null
    case 'crash':
      return isRunning ? null : `Member ${id} is dead already.`
    case 'pause':
      return !isRunning
        ? `Member ${id} is dead.`
        : stall.isPaused
          ? `Member ${id} stands still already.`
          : null
    case 'resume':
      return stall.isPaused ? null : `Member ${id} does not stand still.`
    case 'cut':
      return stall.isCut ? `Member ${id} is cut off already.` : null
    case 'heal':
      return stall.isCut ? null : `Member ${id} is not cut off.`
  }
}
