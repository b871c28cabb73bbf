// The subject grammar: the one place that knows how names become NATS subjects and back.
//
//   <prefix>.<group>.<to>.rpc.<from>.<method>     member to member
//   <prefix>.<group>.<node>.admin.<method>        operations, on one member; `.<operator>` may follow
//   <prefix>.<group>.admin.<method>               operations, on the group; `.<operator>` may follow
//   <prefix>.<group>.<node>.client.<method>       clients that know who leads
//   <prefix>.<group>.leader.<method>              clients; only the leader listens
//   <prefix>.<group>.members.<method>             any member, or all of them
//   <prefix>.<group>.events.<node>.<kind>         what a member tells whoever watches it
//   <inbox>.rpc.<from>.<token>                    a member's answer to a call of another
//
// A name that could change the shape of a subject (a dot, a wildcard, a space) is refused when a subject is built,
// so it can never reach another group.

import { QuorateError } from '../errors.ts'

export const DEFAULT_PREFIX = 'quorate'

const MAX_TOKEN_LENGTH = 64
const MAX_PREFIX_LENGTH = 128
/** They stand where a member's name could stand, so no member may be called so. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set(['leader', 'events', 'members', 'admin'])

function isTokenCode(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || // a-z
    (code >= 48 && code <= 57) || // 0-9
    (code >= 65 && code <= 90) || // A-Z
    code === 95 || // _
    code === 45 // -
  )
}

/** True for `[A-Za-z0-9_-]{1,64}`: what a host, member, group, method or kind may be called. */
export function isToken(text: string): boolean {
  const length = text.length
  if (length === 0 || length > MAX_TOKEN_LENGTH) return false
  for (let i = 0; i < length; i += 1) if (!isTokenCode(text.charCodeAt(i))) return false
  return true
}

/** True for a token that does not collide with a fixed word of the grammar. */
export function isMemberName(text: string): boolean {
  return isToken(text) && !RESERVED_NAMES.has(text)
}

/** True for one or more tokens joined by dots, at most 128 characters. */
export function isPrefix(text: string): boolean {
  return text.length <= MAX_PREFIX_LENGTH && text.split('.').every(isToken)
}

/**
 * True for a subject that a message may be sent to: no empty token, no wildcard, nothing that could end the
 * protocol line (blanks, control characters).
 */
export function isPublishSubject(subject: string): boolean {
  const length = subject.length
  let tokenStart = true
  for (let i = 0; i < length; i += 1) {
    const code = subject.charCodeAt(i)
    if (code === 46) {
      if (tokenStart) return false
      tokenStart = true
      continue
    }
    if (code <= 32 || code === 127) return false
    if (tokenStart && (code === 42 || code === 62) && isTokenEnd(subject, i + 1)) return false
    tokenStart = false
  }
  return !tokenStart
}

/** True for a subject that can be listened on: `*` for one token, a last `>` for one or more. */
export function isSubscribeSubject(subject: string): boolean {
  const tokens = subject.split('.')
  return tokens.every((token, i) => {
    if (token === '*') return true
    if (token === '>') return i === tokens.length - 1
    return token.length > 0 && isPublishSubject(token)
  })
}

function isTokenEnd(subject: string, i: number): boolean {
  return i === subject.length || subject.charCodeAt(i) === 46
}

function requireToken(what: string, text: string): string {
  if (isToken(text)) return text
  throw new QuorateError(
    'INVALID',
    `${what} ${JSON.stringify(text)} must be 1 to 64 letters, digits, _ or -.`,
  )
}

function requireMember(what: string, text: string): string {
  if (!RESERVED_NAMES.has(text)) return requireToken(what, text)
  throw new QuorateError('INVALID', `${what} must not be "${text}": that word has a meaning in subjects.`)
}

/** @throws QuorateError INVALID when `prefix` is not one or more tokens joined by dots. */
export function requirePrefix(prefix: string): string {
  if (isPrefix(prefix)) return prefix
  throw new QuorateError(
    'INVALID',
    `Subject prefix ${JSON.stringify(prefix)} must be words of letters, digits, _ or - joined by dots, at most ${MAX_PREFIX_LENGTH} characters.`,
  )
}

/** Everything of an rpc subject but the method, which follows directly. For callers that keep it. */
export function rpcSubjectHead(prefix: string, group: string, to: string, from: string): string {
  const head = `${requirePrefix(prefix)}.${requireToken('Group', group)}.${requireMember('Member', to)}`
  return `${head}.rpc.${requireMember('Member', from)}.`
}

/**
 * Below the inbox of a member, where it hears the answer of member `from` to a call: the name is in the subject, so
 * that the server lets nobody else answer there. One token follows.
 */
export function rpcAnswerHead(inbox: string, from: string): string {
  return `${inbox}.rpc.${from}.`
}

/** All that is sent to member `id`, of any group. */
export function rpcSubscription(prefix: string, id: string): string {
  return `${requirePrefix(prefix)}.*.${requireMember('Member', id)}.rpc.>`
}

export function adminSubject(prefix: string, group: string, node: string, method: string): string {
  const head = `${requirePrefix(prefix)}.${requireToken('Group', group)}.${requireMember('Member', node)}`
  return `${head}.admin.${requireToken('Method', method)}`
}

/** Of one member, whether it leads or not. */
export function clientSubject(prefix: string, group: string, node: string, method: string): string {
  const head = `${requirePrefix(prefix)}.${requireToken('Group', group)}.${requireMember('Member', node)}`
  return `${head}.client.${requireToken('Method', method)}`
}

export function leaderSubject(prefix: string, group: string, method: string): string {
  return `${requirePrefix(prefix)}.${requireToken('Group', group)}.leader.${requireToken('Method', method)}`
}

/** What member `node` tells whoever watches; `*` for any member. */
export function eventsSubject(prefix: string, group: string, node: string, kind: string): string {
  const head = `${requirePrefix(prefix)}.${requireToken('Group', group)}.events`
  return `${head}.${node === '*' ? node : requireMember('Member', node)}.${requireToken('Kind', kind)}`
}

export interface RpcSubject {
  readonly group: string
  readonly to: string
  readonly from: string
  readonly method: string
}

/** Reads an rpc subject; undefined when it is anything else. On the hot path: no regular expression, no split. */
export function parseRpcSubject(prefix: string, subject: string): RpcSubject | undefined {
  const start = prefix.length + 1
  if (!subject.startsWith(prefix) || subject.charCodeAt(start - 1) !== 46) return undefined
  const groupEnd = subject.indexOf('.', start)
  if (groupEnd < 0) return undefined
  const toEnd = subject.indexOf('.', groupEnd + 1)
  if (toEnd < 0 || !subject.startsWith('.rpc.', toEnd)) return undefined
  const fromStart = toEnd + 5
  const fromEnd = subject.indexOf('.', fromStart)
  if (fromEnd < 0) return undefined
  const group = subject.slice(start, groupEnd)
  const to = subject.slice(groupEnd + 1, toEnd)
  const from = subject.slice(fromStart, fromEnd)
  const method = subject.slice(fromEnd + 1)
  if (!isToken(group) || !isMemberName(to) || !isMemberName(from) || !isToken(method)) return undefined
  return { group, to, from, method }
}
