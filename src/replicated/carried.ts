// Whether every member of a group carries a version of its machine: asked of all of them before one entry lets them change over.

import { QuorateError } from '../errors.ts'
import type { NodeStatus } from '../status.ts'
import type { Asked } from './handles.ts'

/** What a client knows of a group, and a node does not. */
interface Knowing {
  status(): Promise<{ readonly members: readonly NodeStatus[]; readonly unreachable: readonly string[] }>
}

/** @throws QuorateError CONFLICT, naming who does not carry it, or does not answer */
export async function checkCarried(version: string, through: Asked): Promise<void> {
  if (!isKnowing(through)) return
  const status: unknown = await through.status()
  // Of a node: its own status, at once.
  if (!isGroupStatus(status)) return
  const { members, unreachable } = status
  // A witness runs no machine.
  const without = members.filter(
    ({ carries, membership }) => membership !== 'witness' && !carries.includes(version),
  )
  const missing = [...without.map(({ id }) => id), ...unreachable]
  if (missing.length === 0) return
  const who = `${missing.join(', ')} ${missing.length === 1 ? 'does' : 'do'}`
  const text = `Not upgraded: ${who} not say to carry ${version}. Start every member with the new code first.`
  throw new QuorateError('CONFLICT', text)
}

function isKnowing(through: Asked): through is Asked & Knowing {
  return 'status' in through && typeof through.status === 'function'
}

function isGroupStatus(status: unknown): status is Awaited<ReturnType<Knowing['status']>> {
  return typeof status === 'object' && status !== null && 'members' in status && 'unreachable' in status
}
