// Wishes about the members, as users write them: checked at the door, and turned into what the rules judge.

import { z } from 'zod'
import type { MemberSpec } from '../api.ts'
import { QuorateError } from '../errors.ts'
import { describeIssues, memberNameSchema } from '../options.ts'
import { type ChangeWish, MAX_MEMBERS, type MemberWish } from '../rules/change.ts'
import type { PeerId } from '../rules/types.ts'

const MAX_PRIORITY = 1_000_000

const prioritySchema = z.number().int().min(0).max(MAX_PRIORITY)
const specSchema = z.union([
  memberNameSchema,
  z.strictObject({
    id: memberNameSchema,
    role: z.enum(['voter', 'witness', 'learner']).optional(),
    priority: prioritySchema.optional(),
  }),
])
const setSchema = z
  .array(specSchema)
  .min(1, 'must name at least one member')
  .max(2 * MAX_MEMBERS)
const namesSchema = z.array(memberNameSchema).max(2 * MAX_MEMBERS)

/** @throws QuorateError INVALID naming what is wrong. */
function checked<T>(schema: z.ZodType<T>, what: string, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new QuorateError('INVALID', describeIssues(what, parsed.error.issues))
}

function wishOf(spec: z.output<typeof specSchema>): MemberWish {
  if (typeof spec === 'string') return { id: spec }
  const { id, role, priority } = spec
  return { id, ...(role === undefined ? {} : { role }), ...(priority === undefined ? {} : { priority }) }
}

const nameOf = (peer: PeerId): PeerId => checked(memberNameSchema, 'Member', peer)

export const wishes = {
  set: (members: readonly MemberSpec[]): ChangeWish => ({
    kind: 'set',
    members: checked(setSchema, 'Members', members).map(wishOf),
  }),
  add: (member: MemberSpec): ChangeWish => ({
    kind: 'add',
    member: wishOf(checked(specSchema, 'Member', member)),
  }),
  remove: (peer: PeerId): ChangeWish => ({ kind: 'remove', peer: nameOf(peer) }),
  promote: (peer: PeerId): ChangeWish => ({ kind: 'promote', peer: nameOf(peer) }),
  demote: (peer: PeerId): ChangeWish => ({ kind: 'demote', peer: nameOf(peer) }),
  prioritize: (peer: PeerId, priority: number): ChangeWish => ({
    kind: 'prioritize',
    peer: nameOf(peer),
    priority: checked(prioritySchema, 'Priority', priority),
  }),
}

/** JavaScript has no compiler that asks for `force`. @throws QuorateError INVALID */
export function forcedNames(
  peers: readonly PeerId[],
  options: { readonly force?: unknown },
): readonly PeerId[] {
  if (options?.force !== true) {
    const why = 'what only the other members have acknowledged may be lost'
    throw new QuorateError('INVALID', `resetPeers needs { force: true }: ${why}.`)
  }
  return [...checked(namesSchema.min(1, 'must name at least one member'), 'Peers', peers)]
}

export function checkedNames(
  what: string,
  names: readonly PeerId[] | undefined,
): readonly PeerId[] | undefined {
  return names === undefined ? undefined : checked(namesSchema, what, names)
}
