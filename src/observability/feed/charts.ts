// Charts as data: what a viewer draws them from. The same form is exported to `statecharts/`.

import type { AnyStateMachine } from 'xstate'
import { applyQueueMachine } from '../../actors/apply/apply-queue.machine.ts'
import { logMachine } from '../../actors/log.machine.ts'
import { configurationChangeMachine } from '../../actors/membership/configuration-change.machine.ts'
import { nodeMachine } from '../../actors/node/node.machine.ts'
import { heartbeatMachine } from '../../actors/replication/heartbeat.machine.ts'
import { replicatorMachine } from '../../actors/replication/replicator.machine.ts'
import { copierMachine } from '../../actors/snapshot/copier.machine.ts'
import { snapshotMachine } from '../../actors/snapshot/snapshot.machine.ts'
import { timerMachine } from '../../actors/timer.machine.ts'
import type { FeedPicture } from '../../protocol/feed-protocol.ts'

/** All that a member's actors may follow, the member's own first. */
const MACHINES: readonly AnyStateMachine[] = [
  ...[nodeMachine, timerMachine, logMachine, applyQueueMachine, replicatorMachine, heartbeatMachine],
  ...[configurationChangeMachine, snapshotMachine, copierMachine],
]

let made: ReadonlyMap<string, string> | null = null

/** By name, as JSON; made once, when somebody watches. */
export function allCharts(): ReadonlyMap<string, string> {
  made ??= new Map(MACHINES.map((machine) => [machine.id, JSON.stringify(machine.config, keep)]))
  return made
}

/** With that of a user's machine, which comes last. */
export function chartsWith(
  own: { readonly name: string; readonly json: string } | null,
): ReadonlyMap<string, string> {
  return own === null ? allCharts() : new Map([...allCharts(), [own.name, own.json]])
}

/** Those that fit, and the names of those that don't. */
export function chartsWithin(
  known: ReadonlyMap<string, string>,
  asked: readonly string[] | undefined,
  maxBytes: number,
): Pick<FeedPicture, 'charts' | 'more'> {
  const charts: Record<string, string> = {}
  const more: string[] = []
  let leftBytes = maxBytes
  for (const [name, json] of known) {
    if (asked !== undefined && !asked.includes(name)) continue
    // As text within text: each of its quotes is two characters.
    const bytes = JSON.stringify(json).length + name.length + 8
    if (bytes <= leftBytes) {
      charts[name] = json
      leftBytes -= bytes
      // Asked for alone it will not fit the next time either.
    } else if (asked?.length !== 1) more.push(name)
  }
  return { charts, more }
}

/** Names of guards, actions, delays and actors stay; what they do does not belong here. */
function keep(key: string, value: unknown): unknown {
  // Contexts are made of live objects; so are the inputs of actors.
  if (key === 'context' || key === 'input') return undefined
  return typeof value === 'function' ? { type: value.name } : value
}

/** `{ active: { leader: 'serving' } }` as `active.leader.serving`. */
export function pathOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([key, inner]) => `${key}.${pathOf(inner)}`)
    .join(' + ')
}
