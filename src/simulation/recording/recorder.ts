// A simulated run as a file that `quorate watch` plays: in each line what was to be seen at one moment. It looks at the
// members between two steps and changes nothing: the run has the same trace with and without it (INV-25).

import { allCharts } from '../../observability/feed/charts.ts'
import type { PageMessage, ReplayFrame, StagedMember } from '../../page/page-protocol.ts'
import { REPLAY_VERSION } from '../../page/server/replay-source.ts'
import type { FaultEpisode } from '../campaign/faults.ts'
import type { SwarmPlan } from '../campaign/swarm.ts'
import { isInvariantName, PROMISES } from '../invariants/promises.ts'
import type { SimMember } from '../sim-member.ts'
import type { Simulation } from '../simulation.ts'
import { endWords, faultWords } from './fault-words.ts'
import { MemberRecorder } from './member-recorder.ts'

type Tone = (PageMessage & { readonly kind: 'note' })['tone']

/** What ended a run before its time. */
interface Failure {
  readonly invariant: string
  readonly message: string
}

export interface RecorderOptions {
  readonly sim: Simulation
  /** What it is a recording of, as a sentence of 200 characters at most. */
  readonly title: string
  /** Gets line by line, each with its line break. Must not throw. */
  readonly write: (line: string) => void
  /** Of all lines; what comes later is left out, and a note says so. Default 256 MiB. */
  readonly maxBytes?: number
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024
/** Numbers are told at most so often, in virtual time; what happens is told when it happens. */
const EVERY_MS = 20
const MAX_NOTE = 2000

export class Recorder {
  readonly #options: RecorderOptions
  readonly #members: readonly MemberRecorder[]
  readonly #maxBytes: number
  #bytes = 0
  #isFull = false
  #dueMs = 0
  #stage = ''
  /** Who is alive, paused or cut off may have changed. */
  #isStageDue = true

  constructor(options: RecorderOptions) {
    this.#options = options
    const { sim, title, maxBytes = DEFAULT_MAX_BYTES } = options
    this.#maxBytes = maxBytes
    this.#write({ quorate: 'replay', v: REPLAY_VERSION, title: title.slice(0, 200) })
    this.#tell({ kind: 'charts', charts: Object.fromEntries(allCharts()) })
    this.#members = [...sim.members.values()].map(
      (member) =>
        new MemberRecorder({
          member,
          nowMs: () => roundedMs(sim.nowMs),
          tell: (message) => this.#tell(message),
          note: (text, tone) => this.note(text, tone),
        }),
    )
    this.look()
  }

  /** Call it after every step. */
  look(): void {
    if (this.#isFull) return
    for (const member of this.#members) if (member.stepEnded()) this.#isStageDue = true
    const { nowMs } = this.#options.sim
    const isDue = nowMs >= this.#dueMs
    if (isDue) {
      this.#dueMs = nowMs + EVERY_MS
      for (const member of this.#members) member.flush()
    }
    if (isDue || this.#isStageDue) this.#tellStage()
  }

  /** A fault of the plan begins, or is over. */
  fault(what: 'begin' | 'end', { fault }: FaultEpisode): void {
    this.note(what === 'begin' ? faultWords(fault) : endWords(fault), what === 'begin' ? 'fault' : 'step')
    this.#isStageDue = true
  }

  note(text: string, tone: Tone): void {
    this.#tell(this.#noteOf(text, tone))
  }

  /** The run is over; null: nothing was broken. Told even where the recording has no room for what came before. */
  end(failure: Failure | null): void {
    this.look()
    if (!this.#isFull) for (const member of this.#members) member.flush()
    const last =
      failure === null
        ? this.#noteOf('The run is over, and every invariant has held.', 'step')
        : this.#noteOf(brokenWords(failure), 'broken')
    this.#write(this.#frameOf(last))
  }

  #tellStage(): void {
    this.#isStageDue = false
    const { sim } = this.#options
    const members = [...sim.members.values()].map((member) => stagedOf(sim, member))
    const stage = JSON.stringify(members)
    if (stage === this.#stage) return
    this.#stage = stage
    this.#tell({ kind: 'stage', members })
  }

  #tell(message: PageMessage): void {
    if (this.#isFull) return
    this.#write(this.#frameOf(message))
    if (this.#bytes < this.#maxBytes) return
    this.#isFull = true
    const mebibytes = Math.round(this.#maxBytes / 1024 / 1024)
    const text = `The recording ends here: it has reached ${mebibytes} MiB. The run goes on.`
    this.#write(this.#frameOf(this.#noteOf(text, 'step')))
  }

  #noteOf(text: string, tone: Tone): PageMessage {
    const short = text.length > MAX_NOTE ? `${text.slice(0, MAX_NOTE)}…` : text
    return { kind: 'note', text: short, tone, atMs: roundedMs(this.#options.sim.nowMs) }
  }

  #frameOf(message: PageMessage): ReplayFrame {
    return { atMs: roundedMs(this.#options.sim.nowMs), message }
  }

  #write(value: object): void {
    const line = `${JSON.stringify(value)}\n`
    this.#bytes += Buffer.byteLength(line)
    this.#options.write(line)
  }
}

function stagedOf({ nodes, bus }: Simulation, { id, alive, paused, transport }: SimMember): StagedMember {
  const others = nodes.filter((other) => other !== id)
  const isSevered = others.every((other) => bus.isBlocked(id, other) && bus.isBlocked(other, id))
  const isCut = transport?.connected === false || (others.length > 0 && isSevered)
  return { id, state: !alive ? 'crashed' : paused ? 'paused' : 'running', isCut: alive && isCut }
}

function brokenWords({ invariant, message }: Failure): string {
  // Where it is a defect and no rule: without the places in the sources that the report shows.
  const [first = ''] = message.split('\n')
  return isInvariantName(invariant) ? `${first} It must hold: ${PROMISES[invariant]}` : first
}

export function titleOf({ seed, profile, nodes, episodes }: SwarmPlan): string {
  return `Seed ${seed} of profile ${profile}: ${nodes.length} members, ${episodes.length} faults`
}

/** As in the lines of a trace. */
function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
