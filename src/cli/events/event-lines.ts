// What happens in a group, a line each: roles and votes as they are told, and what only shows by comparing a member's numbers
// with the ones before: snapshots, changes of the members, failures.

import type { GroupModel, WatchChange } from '../../client/watch/group-model.ts'
import type { MemberModel } from '../../client/watch/member-model.ts'
import type { TimelineEntry } from '../../client/watch/timeline.ts'
import type { FeedStatus } from '../../protocol/feed-protocol.ts'

export interface EventLine {
  readonly atMs: number
  /** Null: it is the group's, or the bus's. */
  readonly member: string | null
  readonly kind: 'role' | 'vote' | 'member' | 'gap' | 'snapshot' | 'membership' | 'error' | 'problem'
  /** For a person. */
  readonly text: string
  /** For programs: what the text was made of. */
  readonly details: Readonly<Record<string, unknown>>
}

type Tell = (line: EventLine) => void

export class EventLines {
  readonly #model: GroupModel
  readonly #wallMs: () => number
  readonly #tell: Tell
  readonly #statuses = new Map<string, FeedStatus>()
  /** The members, as the newest leader had them. */
  #members: string | null = null

  constructor(model: GroupModel, wallMs: () => number, tell: Tell) {
    this.#model = model
    this.#wallMs = wallMs
    this.#tell = tell
  }

  /** Returns the function that ends it. */
  follow(): () => void {
    return this.#model.on((change) => this.#changed(change))
  }

  #changed(change: WatchChange): void {
    switch (change.type) {
      case 'timeline':
        return this.#entry(change.entry)
      case 'picture':
        return this.#status(change.member)
      case 'item':
        return change.item.kind === 'status' ? this.#status(change.member) : undefined
      case 'problem':
        return this.#problem(this.#model.problem)
      case 'left':
        return this.#say(
          change.member.id,
          this.#wallMs(),
          'member',
          'is no member that is heard or named any more',
          {
            state: 'left',
          },
        )
    }
  }

  #problem(problem: string | null): void {
    const text = problem ?? `Group ${this.#model.group} is seen.`
    this.#tell({ atMs: this.#wallMs(), member: null, kind: 'problem', text, details: { problem } })
  }

  #entry(entry: TimelineEntry): void {
    const { member, atMs } = entry
    switch (entry.kind) {
      case 'role': {
        const { from, to, term, reason } = entry
        return this.#say(member, atMs, 'role', `${from} → ${to}, term ${term}, ${reason}`, {
          from,
          to,
          term,
          reason,
        })
      }
      case 'vote': {
        const { candidate, voter, term, pre, granted, reason } = entry
        // The voter's own word, which says why; the candidate only hears the answer.
        if (reason === null) return
        const verb = `${granted ? 'grants' : 'refuses'} ${candidate} its ${pre ? 'pre-vote' : 'vote'}`
        const details = { candidate, voter, term, pre, granted, reason }
        return this.#say(member, atMs, 'vote', `${verb}, term ${term}, ${reason}`, details)
      }
      case 'member':
        return this.#say(member, atMs, 'member', STATES[entry.state], { state: entry.state })
      case 'gap':
        return this.#say(member, atMs, 'gap', `${entry.items} things that it told were not heard`, {
          items: entry.items,
        })
    }
  }

  #status({ id, status, statusAtMs }: MemberModel): void {
    if (status === null) return
    const before = this.#statuses.get(id)
    this.#statuses.set(id, status)
    if (status.role === 'leader') this.#membership(id, status, statusAtMs)
    if (status.error !== null && status.error !== before?.error)
      this.#say(id, statusAtMs, 'error', status.error, { error: status.error })
    if (before !== undefined) this.#snapshot(id, before.snapshot, status.snapshot, statusAtMs)
  }

  #snapshot(id: string, before: FeedStatus['snapshot'], now: FeedStatus['snapshot'], atMs: number): void {
    const { state, index } = now
    if (state !== before.state && state !== 'idle')
      this.#say(id, atMs, 'snapshot', `is ${state} a snapshot`, { state, index })
    if (index !== before.index)
      this.#say(id, atMs, 'snapshot', `has a snapshot up to entry ${index}`, { state, index })
  }

  #membership(id: string, status: FeedStatus, atMs: number): void {
    const { peers, oldPeers, learners, witnesses, change } = status
    const stage = change?.stage ?? 'none'
    const now = JSON.stringify([peers, oldPeers, learners, witnesses, stage])
    const isFirst = this.#members === null
    if (now === this.#members) return
    this.#members = now
    if (isFirst) return
    const voters = peers.map((peer) => (witnesses.includes(peer) ? `${peer} (witness)` : peer))
    const others = learners.map((learner) => `${learner} (learner)`)
    const joint = oldPeers.length > 0 ? `, together with ${oldPeers.join(', ')}` : ''
    const words = stage === 'none' ? '' : `; the change is ${stage}`
    const text = `leads ${[...voters, ...others].join(', ')}${joint}${words}`
    this.#say(id, atMs, 'membership', text, { peers, oldPeers, learners, witnesses, stage })
  }

  #say(
    member: string,
    atMs: number,
    kind: EventLine['kind'],
    text: string,
    details: EventLine['details'],
  ): void {
    this.#tell({ atMs, member, kind, text, details })
  }
}

const STATES: Readonly<Record<MemberModel['state'] | 'restarted', string>> = {
  expected: 'is named by others, and not heard yet',
  live: 'is heard',
  silent: 'is not heard any more',
  ended: 'has ended',
  restarted: 'has begun another life',
}
