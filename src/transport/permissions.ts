// What each kind of bus user may say and hear, as nats-server permissions. With them the server itself refuses a
// member that speaks in another's name.

import { QuorateError } from '../errors.ts'
import { isToken, requirePrefix } from './subjects.ts'

export interface SubjectPermissions {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
  /** A user that answers requests may publish once to the reply subject of each, this long. */
  readonly allowResponses?: { readonly max: number; readonly expires: string }
}

/** `node`: a host of members. `client`: sends commands and reads. `operator`: admin calls, and may watch everything. */
export type BusRole = 'node' | 'client' | 'operator'

export interface PermissionsOptions {
  readonly role: BusRole
  /** Name of the user; for a node its member id. */
  readonly name: string
  readonly prefix: string
  /** One group only. Default `*`: a host listens with one subscription for all its groups, so it needs the wildcard. */
  readonly group?: string
}

/** The inbox that a transport called `name` receives replies under. */
export function inboxPrefixOf(name: string): string {
  return `_INBOX_${name}`
}

/** @throws QuorateError INVALID for a name, group or prefix that cannot be part of a subject. */
export function permissionsFor(options: PermissionsOptions): SubjectPermissions {
  const { role, name } = options
  const prefix = requirePrefix(options.prefix)
  const group = options.group ?? '*'
  if (!isToken(name)) throw new QuorateError('INVALID', `User ${JSON.stringify(name)} is not a valid name.`)
  if (group !== '*' && !isToken(group)) {
    throw new QuorateError('INVALID', `Group ${JSON.stringify(group)} is not a valid name.`)
  }
  const inbox = `${inboxPrefixOf(name)}.>`
  switch (role) {
    case 'node':
      return {
        publish: [
          `${prefix}.${group}.*.rpc.${name}.*`,
          `${prefix}.${group}.events.${name}.>`,
          // A member hands a client's request on to the leader.
          `${prefix}.${group}.leader.*`,
          // Before it starts it asks whether somebody is this member already.
          `${prefix}.${group}.${name}.admin.status`,
        ],
        subscribe: [
          // The rpc subscription of a host covers all groups, and the server allows no wider one than is listed.
          `${prefix}.*.${name}.rpc.>`,
          `${prefix}.${group}.${name}.admin.>`,
          `${prefix}.${group}.${name}.client.*`,
          `${prefix}.${group}.leader.*`,
          `${prefix}.${group}.members.*`,
          inbox,
          '$SRV.>',
        ],
        allowResponses: { max: 1, expires: '1m' },
      }
    case 'client':
      return {
        publish: [
          `${prefix}.${group}.*.client.*`,
          `${prefix}.${group}.leader.*`,
          `${prefix}.${group}.members.*`,
        ],
        subscribe: [`${prefix}.${group}.events.>`, inbox],
      }
    case 'operator':
      return {
        publish: [
          `${prefix}.${group}.*.admin.*`,
          `${prefix}.${group}.*.client.*`,
          `${prefix}.${group}.leader.*`,
          `${prefix}.${group}.members.*`,
          '$SRV.>',
        ],
        subscribe: [`${prefix}.${group}.>`, inbox],
      }
  }
}

/** The `permissions` block of one user, in the language of nats-server's configuration file. */
export function formatPermissions(permissions: SubjectPermissions, indent = ''): string {
  const list = (subjects: readonly string[]) =>
    subjects.map((subject) => `\n${indent}    ${JSON.stringify(subject)}`).join('')
  const lines = [
    `${indent}permissions: {`,
    `${indent}  publish: { allow: [${list(permissions.publish)}\n${indent}  ] }`,
    `${indent}  subscribe: { allow: [${list(permissions.subscribe)}\n${indent}  ] }`,
  ]
  const responses = permissions.allowResponses
  if (responses !== undefined) {
    lines.push(`${indent}  allow_responses: { max: ${responses.max}, expires: "${responses.expires}" }`)
  }
  lines.push(`${indent}}`)
  return lines.join('\n')
}
