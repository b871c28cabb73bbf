// The words with which scenario scripts wish other members.

import type { ChangeWish, MemberWish } from '../../src/rules/change.ts'

/** What somebody wishes who says `add`, `remove`, `change`, `promote` or `demote`; null: another verb. */
export function wishOf(
  verb: string,
  [peer = '', ...others]: string[],
  fields: Readonly<Record<string, string>>,
): ChangeWish | null {
  if (verb === 'change') return { kind: 'set', members: [peer, ...others].map((name) => memberOf(name)) }
  if (verb === 'add') return { kind: 'add', member: memberOf(`${peer}:${fields.role ?? ''}`) }
  return verb === 'remove' || verb === 'promote' || verb === 'demote' ? { kind: verb, peer } : null
}

/** `A`, `A:learner` */
function memberOf(text: string): MemberWish {
  const [id = '', role = ''] = text.split(':')
  return role === 'learner' || role === 'voter' || role === 'witness' ? { id, role } : { id }
}
