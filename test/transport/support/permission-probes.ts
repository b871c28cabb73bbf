// Every kind of subject there is, each with its near misses, and who may say or hear it: written down here a second
// time, as patterns of text, so that a mistake in the permissions is not repeated by their test.

import { type Askers, permissionsFor, type SubjectPermissions } from '../../../src/transport/permissions.ts'

export const ASKERS: Askers = { members: ['n1', 'n2'], others: ['app', 'ops'] }
export const USERS = ['n1', 'n2', 'app', 'ops'] as const
export type User = (typeof USERS)[number]

export function permissionsOf(user: User, group?: string): SubjectPermissions {
  const scope = { name: user, prefix: 'quorate', ...(group === undefined ? {} : { group }) }
  if (user === 'app') return permissionsFor({ ...scope, role: 'client' })
  if (user === 'ops') return permissionsFor({ ...scope, role: 'operator' })
  return permissionsFor({ ...scope, role: 'node', askers: ASKERS })
}

const SUBJECTS = [
  ...['pre_vote', 'request_vote', 'append_entries', 'install_snapshot', 'get_file', 'timeout_now'].map(
    (method) => `quorate.g.n2.rpc.n1.${method}`,
  ),
  'quorate.g.n1.rpc.n2.request_vote',
  'quorate.g.n1.rpc.n1.read_index',
  ...['status', 'snapshot', 'snapshot-read', 'transfer_leader'].map((verb) => `quorate.g.n1.admin.${verb}`),
  'quorate.g.n1.admin.inspect',
  ...['status', 'inspect', 'state_hash'].map((verb) => `quorate.g.n2.admin.${verb}`),
  ...['join', 'status', 'change_peers', 'reset_peer'].map((verb) => `quorate.g.admin.${verb}`),
  ...['propose', 'read'].map((verb) => `quorate.g.n1.client.${verb}`),
  'quorate.g.n2.client.read',
  ...['propose', 'read'].map((verb) => `quorate.g.leader.${verb}`),
  ...['read', 'status'].map((verb) => `quorate.g.members.${verb}`),
  ...['get_leader', 'list_peers'].flatMap((verb) => [
    `quorate.g.admin.${verb}`,
    `quorate.g.n1.admin.${verb}`,
  ]),
  ...['quorate.g.n1.admin.snapshot.ops', 'quorate.g.admin.change_peers.ops'],
  'quorate.g',
  'quorate.g.events.n1.elected',
  'quorate.g.events.n2.elected',
  'quorate.g.events.n2.inspect',
  '_INBOX_n1.id.rpc.n2.1',
  '_INBOX_n2.id.rpc.n1.1',
  '_INBOX_n1.id.client1.1',
  '_INBOX_n2.id.client1.1',
  '_INBOX_app.id.client1.1',
  '_INBOX_ops.id.1',
  '_INBOX.id.1',
  '$SRV.PING',
  '$SRV.STATS.quorate-g.n1',
  '$SYS.REQ.SERVER.PING',
  'orders.new',
]

const NAMES = new Set<string>(USERS)

/** The subject, and what it becomes when one word is another, is missing, or follows. */
function withNeighbors(subject: string): readonly string[] {
  const words = subject.split('.')
  const replaced = words.flatMap((word, at) =>
    ['strange', ...(NAMES.has(word) ? USERS : [])].map((other) => words.with(at, other).join('.')),
  )
  const shorter = words.map((_, at) => words.toSpliced(at, 1).join('.'))
  return [subject, ...replaced, ...shorter, `${subject}.more`, `${subject}.more.yet`]
}

export const PROBES: readonly string[] = [...new Set(SUBJECTS.flatMap(withNeighbors))]

export type Direction = 'publish' | 'subscribe'

const WORD = '[^.]+'
const REST = '.+'

/** `G` is any group, `W` one word, `R` one or more. */
const TOLD: Readonly<Record<User, Readonly<Record<Direction, readonly string[]>>>> = {
  n1: {
    publish: [
      ...[
        'quorate G W rpc n1 W',
        'quorate G events n1 R',
        'quorate G W admin status',
        'quorate G admin join',
        'quorate G W admin inspect',
      ],
      ...['_INBOX_n2 W rpc n1 W', '_INBOX_n1 W W W', '_INBOX_n2 W W W', '_INBOX_app R', '_INBOX_ops R'],
    ],
    subscribe: [
      ...['quorate W n1 rpc R', 'quorate G n1 admin R', 'quorate G n1 client W', 'quorate G admin R'],
      ...['quorate G leader W', 'quorate G members W', 'quorate G events W inspect', '_INBOX_n1 R', '$SRV R'],
    ],
  },
  n2: {
    publish: [
      ...[
        'quorate G W rpc n2 W',
        'quorate G events n2 R',
        'quorate G W admin status',
        'quorate G admin join',
        'quorate G W admin inspect',
      ],
      ...['_INBOX_n1 W rpc n2 W', '_INBOX_n1 W W W', '_INBOX_n2 W W W', '_INBOX_app R', '_INBOX_ops R'],
    ],
    subscribe: [
      ...['quorate W n2 rpc R', 'quorate G n2 admin R', 'quorate G n2 client W', 'quorate G admin R'],
      ...['quorate G leader W', 'quorate G members W', 'quorate G events W inspect', '_INBOX_n2 R', '$SRV R'],
    ],
  },
  app: {
    publish: ['quorate G W client W', 'quorate G leader W', 'quorate G members W'],
    subscribe: ['quorate G events R', '_INBOX_app R'],
  },
  ops: {
    publish: [
      ...['quorate G W admin W ops', 'quorate G admin W ops', 'quorate G W client W', 'quorate G leader W'],
      ...['status', 'inspect', 'snapshot-read', 'get_leader', 'list_peers', 'state_hash'].map(
        (verb) => `quorate G W admin ${verb}`,
      ),
      ...['quorate G admin get_leader', 'quorate G admin list_peers'],
      ...['quorate G members W', '$SRV R'],
    ],
    subscribe: ['quorate G R', '_INBOX_ops R'],
  },
}

/** Whether `user` is meant to; with `group`, by permissions for that one only. */
export function isMeant(user: User, direction: Direction, subject: string, group?: string): boolean {
  return TOLD[user][direction].some((words) => {
    const pattern = words
      .split(' ')
      .map((word) => {
        if (word === 'G') return group ?? WORD
        if (word === 'W') return WORD
        return word === 'R' ? REST : word.replace('$', '\\$')
      })
      .join('\\.')
    return new RegExp(`^${pattern}$`).test(subject)
  })
}

/** As nats-server reads a list of what is allowed. */
export function allows(patterns: readonly string[], subject: string): boolean {
  const words = subject.split('.')
  return patterns.some((pattern) => {
    const wanted = pattern.split('.')
    const isOpen = wanted.at(-1) === '>'
    if (isOpen ? words.length < wanted.length : words.length !== wanted.length) return false
    return wanted.every((word, at) => word === '*' || word === '>' || word === words[at])
  })
}
