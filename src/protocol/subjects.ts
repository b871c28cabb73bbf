// Where the services of a group listen, beside the grammar of the transport:
//
//   <prefix>.<group>.leader.propose|read           the leader alone, queue group `leaders`
//   <prefix>.<group>.<node>.client.propose|read    one member, for clients that know it to lead
//   <prefix>.<group>.members.read                  one of all members, queue group `members`
//   <prefix>.<group>.members.status                every member answers
//   <prefix>.<group>.<node>.admin.status           one member answers
//   <prefix>.<group>.<node>.admin.snapshot-read    one member reads from its newest snapshot
//   <prefix>.<group>.<node>.admin.<verb>           one member carries it out, or says who leads
//   <prefix>.<group>.admin.<verb>                  the leader does, queue group `leaders`
//   … .admin.<verb>.<operator>                     the same, by an operator whom a bus with permissions lets say this name

import type { PeerId } from '../rules/types.ts'
import { adminSubject, leaderSubject, requirePrefix } from '../transport/subjects.ts'

export const LEADER_QUEUE = 'leaders'
export const MEMBERS_QUEUE = 'members'

/** @throws QuorateError INVALID for names that can't be part of a subject. */
export function membersSubject(prefix: string, group: string, method: string): string {
  // The same checks and the same shape; only the word in the place of the member differs.
  return leaderSubject(prefix, group, method).replace(/\.leader\.([^.]+)$/, '.members.$1')
}

/** What operators ask of a group, whoever is its leader. @throws QuorateError INVALID as `membersSubject` does. */
export function groupAdminSubject(prefix: string, group: string, verb: string): string {
  return leaderSubject(prefix, group, verb).replace(/\.leader\.([^.]+)$/, '.admin.$1')
}

/** The user below whose inbox an answer is wanted; null: the subject does not say. */
export function inboxUserOf(replyTo: string): string | null {
  return /^_INBOX_([A-Za-z0-9_-]{1,64})\./.exec(replyTo)?.[1] ?? null
}

/** Methods that change nothing, and that nobody writes down: their subjects name nobody. */
const UNNAMED: ReadonlySet<string> = new Set([
  'status',
  'snapshot-read',
  'get_leader',
  'list_peers',
  'inspect',
  'state_hash',
])

/**
 * Where an operator asks a member: what changes something ends with the name of who asks, which a bus with permissions lets
 * nobody else say. A transport whose inbox names nobody names nobody here.
 */
export function askedSubject(
  { prefix, group, member }: { readonly prefix: string; readonly group: string; readonly member: PeerId },
  method: string,
  inbox: string,
): string {
  const subject = adminSubject(prefix, group, member, method)
  const name = inboxUserOf(inbox)
  return name === null || UNNAMED.has(method) ? subject : `${subject}.${name}`
}

/**
 * True when a request may have its answer there. Otherwise it could make a member say something on a subject where
 * it is believed: one of the grammar, or one of the server's own.
 */
export function mayAnswerAt(prefix: string, replyTo: string): boolean {
  return !replyTo.startsWith(`${prefix}.`) && !replyTo.startsWith('$')
}

/** The name of a group among NATS micro services: one token, so that `nats micro info NAME` finds it. */
export function serviceName(prefix: string, group: string): string {
  return `${requirePrefix(prefix).replaceAll('.', '_')}-${group}`
}
