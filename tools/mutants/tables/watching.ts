// Planted bugs in what members tell those who watch them, and in what these make of it.
//
// What could be wrong, file by file:
//   feed          goes on when nobody watches, stands still when somebody does, one viewer's failure is another's
//   feed-queue    grows, miscounts, loses more than it says
//   leases        never end, end too soon, one viewer ends another's
//   tap           tells one by one, tells nothing, leaves ends out, tells what a command says
//   votes         takes one for the other
//   member-model  takes an item twice, hides a gap, keeps actors of another life
//   group-model   believes a member that is silent
//   inspect/      lets strangers in, cuts definitions, mixes members up, keeps who does not read
//   instances     without bound, followed for nobody, told with what is in them, older ones over newer ones
//   watch-group   waits for ever, asks no more, believes whoever speaks in another's name

import type { Mutant } from '../mutant.ts'

const FEED = ['test/observability/feed/feed.test.ts']
const PARTS = ['test/observability/feed/parts.test.ts']
const WATCH = ['test/client/watch/watch-group.test.ts']
const BRIDGE = ['test/inspect/stately.test.ts']
const WATCHED = ['test/replicated/watched.test.ts']

export const WATCHING_MUTANTS: readonly Mutant[] = [
  {
    name: 'a member goes on telling when the last viewer has left',
    file: 'observability/feed/feed.ts',
    find: 'if (this.#tap === null) return\n    this.#tap.detach()',
    replace: 'return\n    this.#tap?.detach()',
    tests: FEED,
  },
  {
    name: 'leases are never looked at again',
    file: 'observability/feed/feed.ts',
    find: 'for (const { leases } of this.#places) leases.expire(nowMs)',
    replace: 'for (const { leases } of this.#places) leases.expire(nowMs - 1e9)',
    tests: FEED,
  },
  {
    name: 'whoever comes back is not told that something is missing',
    file: 'observability/feed/feed.ts',
    find: 'this.#queue.skip()\n    this.#tap = this.#newTap()',
    replace: 'this.#tap = this.#newTap()',
    tests: FEED,
  },
  {
    name: 'a member that was killed still speaks',
    file: 'observability/feed/feed.ts',
    find: 'const granted = this.#ended ? 0 :',
    replace: 'const granted =',
    tests: FEED,
  },
  {
    name: 'numbers are told as often as anything',
    file: 'observability/feed/feed.ts',
    find: 'if (clock.nowMs() < this.#statusDueMs) return',
    replace: '',
    tests: FEED,
  },
  {
    name: 'charts fill a message beyond its bounds',
    file: 'observability/feed/charts.ts',
    find: 'if (bytes <= leftBytes)',
    replace: 'if (bytes <= leftBytes + bytes)',
    tests: FEED,
  },
  {
    name: 'the queue of a feed forgets to count what it drops',
    file: 'observability/feed/feed-queue.ts',
    find: 'this.#dropped += excess',
    replace: 'this.#dropped += 0',
    tests: PARTS,
  },
  {
    name: 'the queue of a feed has no bound in bytes',
    file: 'observability/feed/feed-queue.ts',
    find: '|| this.#bytes > maxBytes',
    replace: '',
    tests: PARTS,
  },
  {
    name: 'a viewer that leaves ends everybody’s lease',
    file: 'observability/feed/leases.ts',
    find: 'if (isKnown) this.#leases.delete(viewer)',
    replace: 'this.#leases.clear()',
    tests: PARTS,
  },
  {
    name: 'leases are kept for as many viewers as come',
    file: 'observability/feed/leases.ts',
    find: 'isKnown || this.#leases.size < MAX_VIEWERS',
    replace: 'isKnown || viewer !== OTHERS',
    tests: PARTS,
  },
  {
    name: 'events are told one by one though nobody asked for it',
    file: 'observability/feed/tap.ts',
    find: "if (this.#options.everything())\n      this.#push({ kind: 'event'",
    replace: "if (type !== '')\n      this.#push({ kind: 'event'",
    tests: FEED,
  },
  {
    name: 'the end of an actor is not told',
    file: 'observability/feed/tap.ts',
    find: 'if (!isActive(snapshot)) this.#end(actor)\n  }',
    replace: '}',
    tests: FEED,
  },
  {
    name: 'a transition is told from where it led to',
    file: 'observability/feed/tap.ts',
    find: 'from: actor.untold?.from ?? from, to',
    replace: 'from: actor.untold?.from ?? to, to',
    tests: FEED,
  },
  {
    name: 'a pre-vote passes for a vote',
    file: 'observability/feed/votes.ts',
    find: "const pre = event.type === 'rpc.pre_vote'",
    replace: "const pre = event.type === 'rpc.request_vote'",
    tests: FEED,
  },
  {
    name: 'the answer to a pre-vote is of the term before',
    file: 'observability/feed/votes.ts',
    find: 'const term = pre ? sentTerm + 1 : sentTerm',
    replace: 'const term = pre ? sentTerm : sentTerm',
    tests: FEED,
  },
  {
    name: 'a gap in what a member tells is passed over',
    file: 'client/watch/member-model.ts',
    find: "kind: missing > 0 ? 'gap' : 'fresh'",
    replace: "kind: missing > 1e9 ? 'gap' : 'fresh'",
    tests: WATCH,
  },
  {
    name: 'what another life of a member says is taken for its own',
    file: 'client/watch/member-model.ts',
    find: "if (boot !== this.boot) return { kind: 'stranger' }",
    replace: "if (boot === '') return { kind: 'stranger' }",
    tests: ['test/client/watch/model.test.ts'],
  },
  {
    name: 'a restart is not noticed',
    file: 'client/watch/member-model.ts',
    find: 'if (restarted) this.restarts += 1',
    replace: '',
    tests: WATCH,
  },
  {
    name: 'a silent leader is still believed to lead',
    file: 'client/watch/group-model.ts',
    find: "state === 'live' && status !== null",
    replace: 'status !== null',
    tests: ['test/client/watch/model.test.ts'],
  },
  {
    name: 'a member is believed whatever subject it speaks on',
    file: 'client/watch/watch-group.ts',
    find: 'batch.node !== says ||',
    replace: '',
    tests: WATCH,
  },
  {
    name: 'a group that is not there keeps a viewer waiting for ever',
    file: 'client/watch/watch-group.ts',
    find: "this.#settle(new QuorateError('UNREACHABLE', sentence, { retryable: true }))",
    replace: '',
    tests: WATCH,
  },
  {
    name: 'batches that never come are not missed',
    file: 'client/watch/watch-group.ts',
    find: 'member.next < watched.due',
    replace: 'member.next < 0',
    tests: WATCH,
  },
  {
    name: 'a lease is not renewed',
    file: 'client/watch/lease-keeper.ts',
    find: 'this.#arm(again || this.#more.length > 0 ? LEAST_PAUSE_MS : renewMs)',
    replace: 'if (again || this.#more.length > 0) this.#arm(LEAST_PAUSE_MS)',
    tests: WATCH,
  },
  {
    name: 'a viewer goes without a word',
    file: 'client/watch/lease-keeper.ts',
    find: 'leaseMs: 0, charts: []',
    replace: 'leaseMs: 5000, charts: []',
    tests: WATCH,
  },
  {
    name: 'a viewer that leaves asks for a new feed each time',
    file: 'services/feed-desk.ts',
    find: 'if (!this.#closed) this.#outlet ??= this.#open()',
    replace: 'if (!this.#closed) this.#outlet = this.#open()',
    tests: WATCH,
  },
  {
    name: 'batches are published where another member speaks',
    file: 'services/feed-desk.ts',
    find: 'eventsSubject(prefix, group, id, FEED_KIND)',
    replace: "eventsSubject(prefix, group, 'n0', FEED_KIND)",
    tests: WATCH,
  },
  {
    name: 'a picture has no room for charts',
    file: 'services/feed-desk.ts',
    find: 'transport.status().maxPayloadBytes - ANSWER_RESERVE_BYTES',
    replace: 'ANSWER_RESERVE_BYTES',
    tests: WATCH,
  },
  {
    name: 'a listener of the model that throws takes the news from the others',
    file: 'client/watch/group-model.ts',
    find: 'sheltered(() => listener(change), this.#report)',
    replace: 'listener(change)',
    tests: WATCH,
  },
  {
    name: 'a member that has stopped is taken for lost',
    file: 'client/watch/group-model.ts',
    find: "if (item.kind === 'gone' && item.id === member.id) this.setState(member, 'ended', 'It has stopped.')",
    replace: '',
    tests: WATCH,
  },
  {
    name: 'a whole picture is asked for at leisure',
    file: 'client/watch/lease-keeper.ts',
    find: 'this.#arm(Math.max(0, this.#askedMs + LEAST_PAUSE_MS - clock.nowMs()))',
    replace:
      'if (this.#timer === null) this.#arm(Math.max(0, this.#askedMs + LEAST_PAUSE_MS - clock.nowMs()))',
    tests: ['test/client/watch/model.test.ts'],
  },
  {
    name: 'a timeline keeps what is older than it says',
    file: 'client/watch/timeline.ts',
    find: 'atMs >= nowMs - TIMELINE_MS',
    replace: 'atMs >= nowMs - 2 * TIMELINE_MS',
    tests: ['test/client/watch/model.test.ts'],
  },
  {
    name: 'a timeline grows with what happens',
    file: 'client/watch/timeline.ts',
    find: 'Math.max(old, this.#entries.length - MAX_ENTRIES)',
    replace: 'old',
    tests: ['test/client/watch/model.test.ts'],
  },
  {
    name: 'a timeline forgets the newest',
    file: 'client/watch/timeline.ts',
    find: 'if (excess > 0) this.#entries.splice(0, excess)',
    replace: 'if (excess > 0) this.#entries.splice(-excess, excess)',
    tests: ['test/client/watch/model.test.ts'],
  },
  {
    name: 'pages of strangers may open the socket of the bridge',
    file: 'inspect/bridge.ts',
    find: 'origin === undefined || this.#origins.has(origin)',
    replace: "origin === undefined || origin !== ''",
    tests: BRIDGE,
  },
  {
    name: 'the socket of the bridge is open to whoever guesses nothing',
    file: 'inspect/bridge.ts',
    find: "this.#below(request) !== 'socket' || !isOurs",
    replace: '!isOurs',
    tests: BRIDGE,
  },
  {
    name: 'a viewer of the bridge that does not read is kept',
    file: 'inspect/bridge.ts',
    find: 'if (viewer.bufferedAmount > MAX_UNREAD_BYTES) viewer.terminate()',
    replace: '',
    tests: BRIDGE,
  },
  {
    name: 'viewers of the bridge are as many as like',
    file: 'inspect/bridge.ts',
    find: 'if (this.viewers >= MAX_VIEWERS)',
    replace: 'if (this.viewers < 0)',
    tests: BRIDGE,
  },
  {
    name: 'every actor is a root to the Stately inspector',
    file: 'inspect/stately-stream.ts',
    find: 'parentId: this.#session(model, parent)',
    replace: 'name: parent',
    tests: BRIDGE,
  },
  {
    name: 'whoever comes late to the Stately inspector is told nothing of before',
    file: 'inspect/stately-stream.ts',
    find: 'for (const message of [...members, ...this.#instancesOf(model).all]) this.#say(listener, message)',
    replace:
      'for (const message of [...members.slice(members.length), ...this.#instancesOf(model).all]) this.#say(listener, message)',
    tests: BRIDGE,
  },
  {
    name: 'a state of the Stately inspector is a path',
    file: 'inspect/stately-messages.ts',
    find: 'return at < 0 ? path :',
    replace: 'return at !== 0 ? path :',
    tests: BRIDGE,
  },
  {
    name: 'members that have ended in this process are taken for alive',
    file: 'inspect/local-watch.ts',
    find: 'if (!present.has(node)) this.#leave(node, outlet)',
    replace: 'if (!present.has(node)) outlet.close()',
    tests: BRIDGE,
  },
  {
    name: 'a list of instances has no bound in bytes',
    file: 'observability/feed/instance-tap.ts',
    find: 'return bytes > MAX_INSTANCE_BYTES',
    replace: 'return bytes > MAX_INSTANCE_BYTES * 1000',
    tests: WATCHED,
  },
  {
    name: 'instances are followed when nobody watches any more',
    file: 'observability/feed/feed.ts',
    find: 'this.#instances?.detach()',
    replace: '',
    tests: WATCHED,
  },
  {
    name: 'a chart of a replicated machine has its parameters in it',
    file: 'replicated/drawing.ts',
    find: "return { type: isRecord(given) && typeof given.type === 'string' ? given.type : '' }",
    replace: 'return given',
    tests: WATCHED,
  },
  {
    name: 'what is said of an instance last counts, however old it is',
    file: 'client/watch/instance-book.ts',
    find: 'return one.asOf > (other?.asOf ?? -1)',
    replace: 'return true',
    tests: WATCHED,
  },
  {
    name: 'instances that are known of a member grow without bound',
    file: 'client/watch/instance-book.ts',
    find: 'for (const { key } of this.newest.slice(MAX_KNOWN)) this.#known.delete(key)',
    replace: 'for (const { key } of this.newest.slice(MAX_KNOWN * 1000)) this.#known.delete(key)',
    tests: WATCHED,
  },
  {
    name: 'instances of before are kept when all are told anew',
    file: 'client/watch/instance-book.ts',
    find: 'if (whole) this.#known.clear()',
    replace: 'if (whole && told.total < 0) this.#known.clear()',
    tests: WATCHED,
  },
  {
    name: 'the chart of another version of a machine is not asked for',
    file: 'client/watch/watch-group.ts',
    find: '(this.model.charts.size === 0 ? null : this.model.missingCharts)',
    replace: '(this.model.charts.size === 0 ? null : [])',
    tests: WATCHED,
  },
]
