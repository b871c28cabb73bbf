// The users of a bus as nats-server's configuration file wants them: who they are, and what each may say and hear.

import { QuorateError } from '../../errors.ts'
import {
  type BusRole,
  formatPermissions,
  permissionsFor,
  type SubjectPermissions,
} from '../../transport/permissions.ts'

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

export interface BusUser {
  readonly role: 'member' | 'client' | 'operator'
  readonly user: string
  /** Variable in the server's environment that holds the password: no secret is ever printed. */
  readonly passwordVariable: string
  readonly permissions: SubjectPermissions
}

/** @throws QuorateError INVALID when nobody is named, or when two names cannot be told apart. */
export function usersOf({ members, clients, operators }: Users, scope: Scope): readonly BusUser[] {
  const users = [
    ...members.map((name) => userOf('member', 'node', name, scope)),
    ...clients.map((name) => userOf('client', 'client', name, scope)),
    ...operators.map((name) => userOf('operator', 'operator', name, scope)),
  ]
  if (users.length === 0)
    throw new QuorateError('INVALID', 'Name somebody: --members, --clients or --operators.')
  for (const [at, { user, passwordVariable }] of users.entries()) {
    const twin = users.slice(0, at).find((other) => other.passwordVariable === passwordVariable)
    if (twin === undefined) continue
    const text =
      twin.user === user
        ? `${user} is named twice; a user has one role.`
        : `${twin.user} and ${user} would share the variable ${passwordVariable}; rename one of them.`
    throw new QuorateError('INVALID', text)
  }
  return users
}

function userOf(role: BusUser['role'], busRole: BusRole, name: string, { prefix, group }: Scope): BusUser {
  const permissions = permissionsFor({
    ...{ role: busRole, name, prefix },
    ...(group === undefined ? {} : { group }),
  })
  return { role, user: name, passwordVariable: `PASSWORD_${name.replaceAll('-', '_')}`, permissions }
}

/** The whole `authorization` block. */
export function formatBlock(users: readonly BusUser[]): string {
  const entries = users.map(({ role, user, passwordVariable, permissions }) =>
    [
      `    {`,
      `      # ${role}`,
      `      user: ${JSON.stringify(user)}, password: $${passwordVariable}`,
      formatPermissions(permissions, '      '),
      `    }`,
    ].join('\n'),
  )
  return `authorization {\n  users: [\n${entries.join('\n')}\n  ]\n}`
}
