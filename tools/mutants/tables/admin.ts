// Planted bugs in what operators ask of members: carried out twice, by nobody, for nobody, or not written down.

import type { Mutant } from '../mutant.ts'

const ADMIN = ['test/services/admin.test.ts']

export const ADMIN_MUTANTS: readonly Mutant[] = [
  {
    name: 'whoever asks for the same begins it again',
    file: 'services/admin-desk.ts',
    find: '      waiting.push(asker)\n      return\n',
    replace: '      waiting.push(asker)\n',
    tests: ADMIN,
  },
  {
    name: 'only the first to ask is answered',
    file: 'services/admin-desk.ts',
    find: 'for (const each of askers) this.#answer(each, result)',
    replace: 'for (const each of askers.slice(0, 1)) this.#answer(each, result)',
    tests: ADMIN,
  },
  {
    name: 'what has ended is joined for ever',
    file: 'services/admin-desk.ts',
    find: '      this.#running.delete(key)\n',
    replace: '',
    tests: ADMIN,
  },
  {
    name: 'any number of operators waits',
    file: 'services/admin-desk.ts',
    find: '>= MAX_WAITING',
    replace: '>= 9 * MAX_WAITING',
    tests: ADMIN,
  },
  {
    name: 'an operator is answered in JSON, whatever was sent',
    file: 'services/admin-desk.ts',
    find: 'const asker = { replyTo, sender, form: formOf(message.payload) }',
    replace: 'const asker = { replyTo, sender, form: formOf(new Uint8Array()) }',
    tests: ADMIN,
  },
  {
    name: 'what the caller has seen is not compared',
    file: 'services/admin-desk.ts',
    find: 'return node.addPeer({ id, ...wish }, optionsOf(expect))',
    replace: 'return node.addPeer({ id, ...wish }, optionsOf(expect?.slice(0, 0) && undefined))',
    tests: ADMIN,
  },
  {
    name: 'what a change was begun from is what it led to',
    file: 'services/admin-desk.ts',
    find: 'end({ ok: true, before, after: viewOf',
    replace: 'end({ ok: true, before: before && viewOf(node.members()), after: viewOf',
    tests: ADMIN,
  },
  {
    name: 'refused changes are written down as done',
    file: 'services/admin-desk.ts',
    find: '} else if (isQuorateError(outcome)) {',
    replace: "} else if (isQuorateError(outcome) && outcome.code === 'INVALID') {",
    tests: ADMIN,
  },
  {
    name: 'a reset is written down like anything else',
    file: 'services/admin-desk.ts',
    find: "const isGrave = verb === 'reset_peer' ||",
    replace: 'const isGrave =',
    tests: ADMIN,
  },
  {
    name: 'any member takes what is asked of the group',
    file: 'services/admin-endpoints.ts',
    find: '    forAll: ADMIN_VERBS.map((verb) =>\n',
    replace:
      '    forAll: [...GROUP_VERBS, ...ADMIN_VERBS].map((verb, at) =>\n      at < GROUP_VERBS.length ? endpoint(verb, { name: verb, subject: groupAdminSubject(prefix, group, verb) }) :\n',
    tests: ADMIN,
  },
  {
    name: 'a group cannot be asked who its members are',
    file: 'services/admin-endpoints.ts',
    find: 'forLeader: GROUP_VERBS.map(',
    replace: 'forLeader: GROUP_VERBS.slice(0, -1).map(',
    tests: ADMIN,
  },
  {
    name: 'a group can be reset without naming a member',
    file: 'services/admin-endpoints.ts',
    find: 'forLeader: GROUP_VERBS.map(',
    replace: 'forLeader: [...GROUP_VERBS.slice(0, 0), ...ADMIN_VERBS].map(',
    tests: ADMIN,
  },
  {
    name: 'misspelled fields are ignored',
    file: 'protocol/admin-verbs.ts',
    find: "  z.strictObject({ verb: z.literal('list_peers') }),",
    replace: "  z.object({ verb: z.literal('list_peers') }),",
    tests: ADMIN,
  },
  {
    name: 'a reset needs no force',
    file: 'protocol/admin-verbs.ts',
    find: "force: z.literal(true, 'must be true: what only the other members have acknowledged may be lost'),",
    replace: 'force: z.literal(true).default(true),',
    tests: ADMIN,
  },
  {
    name: 'the verb of the body counts, not that of the subject',
    file: 'protocol/admin-verbs.ts',
    find: 'requestSchema.safeParse({ ...body, verb })',
    replace: 'requestSchema.safeParse({ verb, ...body })',
    tests: ADMIN,
  },
  {
    name: 'discovery shows the member as it was at first',
    file: 'services/micro.ts',
    find: 'const identity = () => ({ name, id, version, metadata: service.metadata() })',
    replace:
      'const metadata = service.metadata()\n  const identity = () => ({ name, id, version, metadata })',
    tests: ADMIN,
  },
]
