// Planted bugs in replicated machines: in what members must agree on, and in what the leader does alone.

import type { Mutant } from '../mutant.ts'

const SEMANTICS = ['test/replicated/semantics.test.ts']
const REFUSED = ['test/replicated/refused.test.ts']
const UPGRADE = ['test/replicated/upgrade.test.ts']

export const REPLICATED_MUTANTS: readonly Mutant[] = [
  {
    name: 'a timer that somebody says is due counts before its time',
    file: 'replicated/replica.ts',
    find: 'timer.dueAtMs > at.timeMs',
    replace: 'timer.dueAtMs > at.timeMs + 60_000',
    tests: SEMANTICS,
  },
  {
    name: 'a result of a job that was armed anew counts',
    file: 'replicated/replica.ts',
    find: '(timer ?? job)?.armedAt !== armedAt',
    replace: '(timer ?? job) === undefined',
    tests: SEMANTICS,
  },
  {
    name: 'an instance that has ended takes events',
    file: 'replicated/replica.ts',
    find: "if (base !== null && base.snapshot.status !== 'active')",
    replace: "if (base !== null && base.snapshot.status === 'error')",
    tests: SEMANTICS,
  },
  {
    name: 'what is sent to oneself is lost',
    file: 'replicated/settlement.ts',
    find: 'else if (target === null) this.ownEvents.push(event)',
    replace: 'else if (target === null) return',
    tests: SEMANTICS,
  },
  {
    name: 'what was undefined stays in memory, and not in bytes',
    file: 'replicated/instance-codec.ts',
    find: '    context: withoutUndefined(context),',
    replace: '    context,',
    tests: SEMANTICS,
  },
  {
    name: 'a new leader does not fire what was armed before it',
    file: 'replicated/leader-work.ts',
    find: 'if (at === undefined || armedAt === at.index)',
    replace: 'if (armedAt === at?.index)',
    tests: SEMANTICS,
  },
  {
    name: 'a new leader does not start jobs over',
    file: 'replicated/leader-work.ts',
    find: '    this.#jobs.follow(key, jobs)',
    replace: '    if (at !== undefined) this.#jobs.follow(key, jobs)',
    tests: SEMANTICS,
  },
  {
    name: 'a job whose result is on its way is started again',
    file: 'replicated/jobs.ts',
    find: '      running.isOver = true\n',
    replace: '      this.#running.get(key)?.delete(id)\n      this.follow(key, new Map([[id, job]]))\n',
    tests: SEMANTICS,
  },
  {
    name: 'a job that is started over has another name',
    file: 'replicated/jobs.ts',
    find: '{job.armedAt}',
    replace: '{clock.setTimeout(() => {}, 0)}',
    tests: SEMANTICS,
  },
  {
    name: 'a result that did not reach the log is not tried again',
    file: 'replicated/deliveries.ts',
    find: '      if (!this.#ended) this.deliver(delivery)',
    replace: '      if (this.#ended) this.deliver(delivery)',
    tests: SEMANTICS,
  },
  {
    name: 'a timer of the heap takes the wrong child’s place',
    file: 'replicated/due-timers.ts',
    find: 'other !== undefined && other.dueAtMs < one.dueAtMs',
    replace: 'other !== undefined && other.dueAtMs > one.dueAtMs',
    tests: SEMANTICS,
  },
  {
    name: 'contexts are not frozen',
    file: 'replicated/instances.ts',
    find: 'if (this.#strict) freeze(snapshot.context)',
    replace: 'if (!this.#strict) freeze(snapshot.context)',
    tests: REFUSED,
  },
  {
    name: 'a child that was spawned in an assign is let pass',
    file: 'replicated/settlement.ts',
    find: 'if (!this.#spawned.has(id) && !(id in this.#before.children))',
    replace: 'if (this.#spawned.has(id) && !(id in this.#before.children))',
    tests: [...REFUSED, ...SEMANTICS],
  },
  {
    name: 'a member with another version goes on',
    file: 'replicated/generations.ts',
    find: '  if (found !== undefined) return found\n',
    replace: '  if (found !== undefined) return found\n  if (carried[0] !== undefined) return carried[0]\n',
    tests: REFUSED,
  },
  {
    name: 'states are compared with those of another index',
    file: 'replicated/checkpoints.ts',
    find: 'if (own === undefined || own.hash === theirs.hash) return null',
    replace: 'if (own === undefined || own.hash !== theirs.hash) return null',
    tests: REFUSED,
  },
  {
    name: 'an upgrade that fails halfway leaves the new version declared',
    file: 'replicated/lineage.ts',
    find: "      return { ok: false, code: 'THREW', message }\n",
    replace: "      this.declared = to\n      return { ok: false, code: 'THREW', message }\n",
    tests: UPGRADE,
  },
  {
    name: 'the leader of an upgrade goes on with the jobs of the old version',
    file: 'replicated/replicated-machine.ts',
    find: '      if (this.#work !== null) this.onLeaderStart()\n',
    replace: '',
    tests: UPGRADE,
  },
  {
    name: 'a job that is taken over gets another name',
    file: 'replicated/instance-codec.ts',
    find: 'armedAt: before?.src === src ? before.armedAt : index, src, input',
    replace: 'armedAt: index, src, input',
    tests: UPGRADE,
  },
  {
    name: 'a group that has said nothing yet runs the newest version at once',
    file: 'replicated/lineage.ts',
    find: 'this.#runningOf(before ?? this.newest, null)',
    replace: 'this.#runningOf(this.newest, null)',
    tests: UPGRADE,
  },
  {
    name: 'an instance from a snapshot waits for nothing',
    file: 'replicated/instances.ts',
    find: 'this.#take(key, bytes, recallPending(bytes))',
    replace: 'this.#take(key, bytes, { timers: new Map(), jobs: new Map(recallPending(bytes).jobs) })',
    tests: SEMANTICS,
  },
  {
    name: 'a group is upgraded though a member does not carry it',
    file: 'replicated/carried.ts',
    find: '!carries.includes(version)',
    replace: 'carries.length === 0',
    tests: ['test/replicated/upgrade-hosts.test.ts'],
  },
  {
    name: 'whoever does not answer is taken to carry the new version',
    file: 'replicated/carried.ts',
    find: ', ...unreachable]',
    replace: ']',
    tests: ['test/replicated/upgrade-hosts.test.ts'],
  },
]
