// The users of a bus as nats-server's configuration file wants them: who they are, and what each may say and hear.

import { QuorateError } from '../../errors.ts'
import { formatPermissions, permissionsFor, type SubjectPermissions } from '../../transport/permissions.ts'

export interface Users {
  readonly members: readonly string[]
  readonly clients: readonly string[]
  readonly operators: readonly string[]
}

export interface Scope {
  readonly prefix: string
  /** Only this group; undefined: all. */
  readonly group?: string | undefined
}

/** How the server knows a user; `$NAME` stands for a variable in its environment. No secret is ever printed. */
export type Identity = { readonly nkey: string } | { readonly user: string; readonly password: string }

export interface BusUser {
  readonly role: 'member' | 'client' | 'operator'
  readonly name: string
  readonly identity: Identity
  readonly permissions: SubjectPermissions
}

/** Password or public key in the server's environment. */
export function variableOf(kind: 'PASSWORD' | 'NKEY', name: string): string {
  return `${kind}_${name.replaceAll('-', '_')}`
}

/** @throws QuorateError INVALID when nobody is named, or when two users can't be told apart. */
export function usersOf(
  { members, clients, operators }: Users,
  { prefix, group }: Scope,
  identityOf: (name: string) => Identity,
): readonly BusUser[] {
  const scope = { prefix, ...(group === undefined ? {} : { group }) }
  const askers = { members, others: [...clients, ...operators] }
  const users: readonly BusUser[] = [
    ...members.map((name) => ({
      ...{ role: 'member' as const, name, identity: identityOf(name) },
      permissions: permissionsFor({ ...scope, role: 'node', name, askers }),
    })),
    ...clients.map((name) => ({
      ...{ role: 'client' as const, name, identity: identityOf(name) },
      permissions: permissionsFor({ ...scope, role: 'client', name }),
    })),
    ...operators.map((name) => ({
      ...{ role: 'operator' as const, name, identity: identityOf(name) },
      permissions: permissionsFor({ ...scope, role: 'operator', name }),
    })),
  ]
  if (users.length === 0)
    throw new QuorateError('INVALID', 'Name somebody: --nodes, --clients or --operators.')
  refuseTwins(users)
  return users
}

function refuseTwins(users: readonly BusUser[]): void {
  for (const [at, { name, identity }] of users.entries()) {
    const shown = secretOf(identity)
    const twin = users.slice(0, at).find((other) => other.name === name || secretOf(other.identity) === shown)
    if (twin === undefined) continue
    const text =
      twin.name === name
        ? `${name} is named twice; a user has one role.`
        : `${twin.name} and ${name} would share ${shown}; rename one of them.`
    throw new QuorateError('INVALID', text)
  }
}

function secretOf(identity: Identity): string {
  return 'nkey' in identity ? identity.nkey : identity.password
}

function formatIdentity(identity: Identity): string {
  if (!('nkey' in identity)) return `user: ${JSON.stringify(identity.user)}, password: ${identity.password}`
  return `nkey: ${identity.nkey}`
}

/** An `authorization` block, or, for an account of its own, an `accounts` block. */
export function formatBlock(users: readonly BusUser[], account?: string): string {
  const indent = account === undefined ? '    ' : '      '
  const entries = users.map(({ role, name, identity, permissions }) =>
    [
      `${indent}{`,
      `${indent}  # ${role} ${name}`,
      `${indent}  ${formatIdentity(identity)}`,
      formatPermissions(permissions, `${indent}  `),
      `${indent}}`,
    ].join('\n'),
  )
  const list = entries.join('\n')
  return account === undefined
    ? `authorization {\n  users: [\n${list}\n  ]\n}`
    : `accounts {\n  ${account} {\n    users: [\n${list}\n    ]\n  }\n}`
}
