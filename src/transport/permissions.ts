// What each kind of bus user may say and hear, as nats-server permissions. With them the server itself refuses a
// member that speaks in another's name.

import { QuorateError } from '../errors.ts'
import { isToken, requirePrefix, rpcAnswerHead } from './subjects.ts'

export interface SubjectPermissions {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

interface PermissionsScope {
  /** Name of the user; for a node its member id. */
  readonly name: string
  readonly prefix: string
  /** One group only. Default `*`: a host listens with one subscription for all its groups, so it needs the wildcard. */
  readonly group?: string
}

/** A member answers at the inboxes of these users, and of nobody else. */
export interface Askers {
  /** Itself too: it asks whether somebody runs under its name already. */
  readonly members: readonly string[]
  /** Clients and operators. */
  readonly others: readonly string[]
}

/** `node`: a host of members. `client`: sends commands and reads. `operator`: admin calls, and may watch everything. */
export type PermissionsOptions =
  | (PermissionsScope & { readonly role: 'node'; readonly askers: Askers })
  | (PermissionsScope & { readonly role: 'client' | 'operator' })

/** The inbox that a transport called `name` receives replies under. */
export function inboxPrefixOf(name: string): string {
  return `_INBOX_${name}`
}

/** @throws QuorateError INVALID for a name, group or prefix that cannot be part of a subject. */
export function permissionsFor(options: PermissionsOptions): SubjectPermissions {
  const prefix = requirePrefix(options.prefix)
  const name = requireName('User', options.name)
  const group = options.group === undefined ? '*' : requireName('Group', options.group)
  const scope = `${prefix}.${group}`
  const inbox = `${inboxPrefixOf(name)}.>`
  switch (options.role) {
    case 'node':
      return {
        publish: [
          `${scope}.*.rpc.${name}.*`,
          `${scope}.events.${name}.>`,
          // Before it starts it asks whether somebody is this member already; a newcomer looks at the others, and asks in.
          `${scope}.*.admin.status`,
          `${scope}.admin.join`,
          // The page that it serves shows the others as well.
          `${scope}.*.admin.inspect`,
          ...answersOf(name, options.askers),
        ],
        subscribe: [
          // The rpc subscription of a host covers all groups, and the server allows no wider one than is listed.
          `${prefix}.*.${name}.rpc.>`,
          `${scope}.${name}.admin.>`,
          `${scope}.${name}.client.*`,
          `${scope}.admin.>`,
          `${scope}.leader.*`,
          `${scope}.members.*`,
          `${scope}.events.*.inspect`,
          inbox,
          '$SRV.>',
        ],
      }
    case 'client':
      return {
        publish: [`${scope}.*.client.*`, `${scope}.leader.*`, `${scope}.members.*`],
        subscribe: [`${scope}.events.>`, inbox],
      }
    case 'operator':
      return {
        publish: [
          // What changes something, in the own name alone; what only looks, without one.
          `${scope}.*.admin.*.${name}`,
          `${scope}.admin.*.${name}`,
          ...['status', 'inspect', 'snapshot-read', 'get_leader', 'list_peers', 'state_hash'].map(
            (verb) => `${scope}.*.admin.${verb}`,
          ),
          `${scope}.admin.get_leader`,
          `${scope}.admin.list_peers`,
          `${scope}.*.client.*`,
          `${scope}.leader.*`,
          `${scope}.members.*`,
          '$SRV.>',
        ],
        subscribe: [`${scope}.>`, inbox],
      }
  }
}

/**
 * Where member `name` may answer. Not the server's `allow_responses`: with that, whoever sends itself a request may
 * publish once at the reply subject that it made up, in the name of anybody.
 */
function answersOf(name: string, { members, others }: Askers): readonly string[] {
  return [
    // To calls of other members, in the own name.
    ...members
      .filter((member) => member !== name)
      .map((member) => rpcAnswerHead(`${inboxOf(member)}.*`, name).concat('*')),
    // To what members ask of services.
    ...members.map((member) => `${inboxOf(member)}.*.*.*`),
    ...others.map((other) => `${inboxOf(other)}.>`),
  ]
}

function inboxOf(name: string): string {
  return inboxPrefixOf(requireName('User', name))
}

function requireName(what: string, name: string): string {
  if (isToken(name)) return name
  throw new QuorateError('INVALID', `${what} ${JSON.stringify(name)} is not a valid name.`)
}

/** The `permissions` block of one user, in the language of nats-server's configuration file. */
export function formatPermissions(permissions: SubjectPermissions, indent = ''): string {
  const list = (subjects: readonly string[]) =>
    subjects.map((subject) => `\n${indent}    ${JSON.stringify(subject)}`).join('')
  return [
    `${indent}permissions: {`,
    `${indent}  publish: { allow: [${list(permissions.publish)}\n${indent}  ] }`,
    `${indent}  subscribe: { allow: [${list(permissions.subscribe)}\n${indent}  ] }`,
    `${indent}}`,
  ].join('\n')
}
