// One group of real processes whose members all come and go under load: it grows, moves its leader, loses leaders in the
// middle of changes, has every member replaced, and shrinks. Tells what that cost; what must hold is looked at by `verify`.

import type { MemberSpec } from '../../../src/api.ts'
import { isQuorateError } from '../../../src/errors.ts'
import type { Changed } from '../../../src/protocol/admin-verbs.ts'
import type { ChangeStage } from '../../../src/rules/change.ts'
import { ELECTION_TIMEOUT_MS, Group } from './group.ts'
import { Workload } from './workload.ts'

export interface MembershipPlan {
  readonly transfers: number
  /** Of the leader, at the stages of a change in turn. */
  readonly kills: number
  readonly progress?: (line: string) => void
}

type KilledStage = Exclude<ChangeStage, 'none'>

export interface MembershipFigures {
  readonly mode: 'membership'
  readonly transfers: number
  readonly electionTimeoutMs: number
  /** The longest time without an accepted write around each transfer. */
  readonly gapMedianMs: number
  readonly gapP99Ms: number
  readonly gapWorstMs: number
  readonly gapsMs: readonly number[]
  readonly kills: Readonly<Record<KilledStage, number>>
  /** So many kills came when the change was done already: they were made again, and count for nothing. */
  readonly killsTooLate: number
  readonly changes: number
  /** Terms that somebody led, or tried to. */
  readonly elections: number
  readonly acknowledged: number
  readonly seconds: number
}

const CLIENTS = 12
/** What a leader logs when a change is over. */
const ENDS = ['The members have changed.', 'The members stay as they are']
const STAGES: readonly KilledStage[] = ['catchingUp', 'joint', 'stable']
/** Writes that have to be accepted before and after whatever is measured. */
const SOME = 20

export class MembershipRun {
  readonly #group: Group
  readonly #load: Workload
  readonly #progress: (line: string) => void
  readonly #kills: Record<KilledStage, number> = { catchingUp: 0, joint: 0, stable: 0 }
  readonly #gapsMs: number[] = []
  readonly #startedMs = performance.now()
  #killsTooLate = 0
  #voters: readonly string[] = ['n1']
  #named = 1
  #changes = 0

  private constructor(group: Group, progress: (line: string) => void) {
    this.#group = group
    this.#progress = progress
    this.#load = new Workload(group.client, CLIENTS)
  }

  static async start(progress: (line: string) => void = () => {}): Promise<MembershipRun> {
    return new MembershipRun(await Group.start({ ids: ['n1'] }), progress)
  }

  /** All of it, in order. */
  async play({ transfers, kills }: Pick<MembershipPlan, 'transfers' | 'kills'>): Promise<MembershipFigures> {
    await this.grow(3)
    await this.grow(5)
    for (let i = 0; i < transfers; i++) await this.transfer()
    const originals = this.#voters
    for (let i = 0; i < kills; i++) await this.killAt(STAGES[i % STAGES.length] ?? 'stable')
    await this.replace(originals.filter((id) => this.#voters.includes(id)))
    await this.verify()
    await this.shrinkToOne()
    await this.verify()
    return this.figures(await this.#group.leading())
  }

  async grow(size: number): Promise<void> {
    const fresh = await Promise.all(Array.from({ length: size - this.#voters.length }, () => this.#join()))
    await this.#change([...this.#voters, ...fresh])
    this.#progress(`The members are ${this.#voters.join(', ')}.`)
  }

  /** The leader hands over to the next member in order. */
  async transfer(): Promise<void> {
    await this.#load.progress(SOME)
    const { id } = await this.#group.leading()
    const next = this.#voters[(this.#voters.indexOf(id) + 1) % this.#voters.length] ?? id
    const askedMs = performance.now()
    await this.#group.admin.transferLeadership(next)
    const doneMs = performance.now()
    await this.#load.progress(SOME)
    const gapMs = this.#load.longestPauseMs(askedMs, doneMs)
    this.#gapsMs.push(gapMs)
    this.#progress(`${id} has handed over to ${next}: ${gapMs.toFixed(1)} ms without a write.`)
  }

  /** Kills the leader when a change that it has begun is at this stage; the change comes to its end under another one. */
  async killAt(stage: KilledStage): Promise<void> {
    do await this.#load.progress(SOME)
    while (!(await this.#killOnce(stage)))
    this.#kills[stage] += 1
  }

  /** One after the other. */
  async replace(members: readonly string[]): Promise<void> {
    const replacements = await Promise.all(members.map(async (old) => ({ old, fresh: await this.#join() })))
    for (const { old, fresh } of replacements) {
      await this.#change([...this.#voters.filter((id) => id !== old), fresh])
      await this.#group.end(old, 'SIGKILL')
      this.#progress(`${fresh} has taken the place of ${old}.`)
    }
  }

  async shrinkToOne(): Promise<void> {
    for (const leaving of this.#voters.slice(1)) {
      await this.#change(this.#voters.filter((id) => id !== leaving))
      await this.#group.end(leaving, 'SIGKILL')
    }
    this.#progress(`${this.#voters.join()} is left.`)
  }

  /**
   * Equal states, and one order of all that clients saw, up to what is there now.
   * @throws Error when there is none.
   */
  async verify(): Promise<void> {
    await this.#load.progress(SOME)
    await this.#load.stop()
    await this.#load.readBack()
    await this.#group.converged(this.#voters)
    const verdict = this.#load.check()
    if (verdict.verdict !== 'linearizable') throw new Error(`${verdict.verdict}: ${verdict.explanation}`)
    this.#load.start()
  }

  async stop(): Promise<void> {
    const stopped = this.#load.stop()
    await this.#group.stop()
    await stopped
  }

  figures({ term }: { readonly term: number }): MembershipFigures {
    const round = (ms: number): number => Math.round(ms * 10) / 10
    const at = (gaps: readonly number[], share: number): number =>
      round([...gaps].sort((a, b) => a - b)[Math.ceil(gaps.length * share) - 1] ?? 0)
    const gapsMs = this.#gapsMs
    return {
      ...{ mode: 'membership', transfers: gapsMs.length, electionTimeoutMs: ELECTION_TIMEOUT_MS },
      ...{ gapMedianMs: at(gapsMs, 0.5), gapP99Ms: at(gapsMs, 0.99), gapWorstMs: at(gapsMs, 1) },
      ...{ gapsMs: gapsMs.map(round), kills: this.#kills, killsTooLate: this.#killsTooLate },
      ...{ changes: this.#changes, elections: term, acknowledged: this.#load.acknowledged },
      seconds: Math.round((performance.now() - this.#startedMs) / 1000),
    }
  }

  async #killOnce(stage: KilledStage): Promise<boolean> {
    const group = this.#group
    const leader = await group.leader()
    const { members, held, sign } = await this.#wishFor(stage, leader)
    for (const id of held) group.signal(id, 'SIGSTOP')
    const mark = group.logOf(leader).length
    const changed = this.#ask(members)
    await Promise.race([group.until(leader, sign, mark), changed])
    await group.end(leader, 'SIGKILL')
    for (const id of held) group.signal(id, 'SIGCONT')
    const isInTime = !ENDS.some((end) => group.logOf(leader).includes(end, mark))
    await Promise.all([changed, group.startMember(leader)])
    this.#changes += 1
    await this.#settle(members)
    if (!isInTime) this.#killsTooLate += 1
    this.#progress(`${leader} was killed, ${isInTime ? stage : `when ${stage} was over already`}.`)
    return isInTime
  }

  /** A change that stays at this stage, or stays there for a moment, and what its leader logs when it gets there. */
  async #wishFor(stage: KilledStage, leader: string) {
    const followers = this.#voters.filter((id) => id !== leader)
    if (stage === 'catchingUp') {
      const fresh = await this.#join()
      const members: readonly MemberSpec[] = [leader, ...followers.slice(1), fresh]
      return { members, held: [fresh], sign: 'The members are about to change.' }
    }
    const voters = [leader, ...followers.slice(-2)]
    const demoted = followers.slice(0, -2).map((id) => ({ id, role: 'learner' as const }))
    const members: readonly MemberSpec[] = [...voters, ...demoted]
    // Without those two the new voters are no majority, so that it stays joint.
    const held = stage === 'joint' ? followers.slice(-2) : []
    const sign = stage === 'joint' ? 'Old and new members decide together.' : 'The new members decide alone.'
    return { members, held, sign }
  }

  /** Everybody votes again, and whoever is none any more ends. */
  async #settle(members: readonly MemberSpec[]): Promise<void> {
    const voters = members.map((member) => (typeof member === 'string' ? member : member.id))
    const gone = this.#voters.filter((id) => !voters.includes(id))
    await this.#change(voters)
    for (const id of gone) await this.#group.end(id, 'SIGKILL')
  }

  async #change(voters: readonly string[]): Promise<void> {
    const { after } = await this.#ask(voters.map((id) => ({ id, role: 'voter' as const })))
    if (after.peers.join() !== voters.join()) throw new Error(`The members are ${after.peers.join()}.`)
    this.#voters = voters
    this.#changes += 1
    await this.#load.progress(SOME)
  }

  /** On a machine that is busy with other things, who comes may be silent for a while: then it is wished again. */
  async #ask(members: readonly MemberSpec[]): Promise<Changed> {
    for (;;) {
      try {
        return await this.#group.admin.changePeers(members)
      } catch (error) {
        if (!isQuorateError(error) || error.code !== 'CATCH_UP') throw error
      }
    }
  }

  async #join(): Promise<string> {
    this.#named += 1
    const id = `n${this.#named}`
    await this.#group.startMember(id)
    return id
  }
}
