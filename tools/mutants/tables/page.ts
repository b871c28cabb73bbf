// Planted bugs in the page and in who serves it.
//
// What could be wrong, file by file:
//   open-page     strangers get in
//   site          pages from elsewhere command the stage, viewers without number, names that are none
//   viewers       one that does not read is kept
//   group-stream  items twice, gaps hidden, a late viewer is told the past anew
//   shared-groups a group is watched for ever, or no more while somebody looks
//   stall         the member that stands still goes on
//   logic/        a sentence, a lane, a step that is not so

import type { Mutant } from '../mutant.ts'

const SERVER = ['test/page/server.test.ts']
const LOGIC = ['test/page/logic.test.ts']
const STALL = ['test/cli/stall.test.ts']

export const PAGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'the page is served to whoever comes by another name',
    file: 'page/server/open-page.ts',
    find: '!isLoopback(host) || isLocalHostHeader(request.headers.host)',
    replace: 'true',
    tests: SERVER,
  },
  {
    name: 'the page is served without its token',
    file: 'page/server/open-page.ts',
    find: 'site.handle(url.slice(head.length), request, response)',
    replace: 'site.handle(url.slice(url.lastIndexOf("/") + 1), request, response)',
    tests: SERVER,
    also: [{ file: 'page/server/open-page.ts', find: 'url.startsWith(head)', replace: 'url.length > 0' }],
  },
  {
    name: 'pages from elsewhere command the stage',
    file: 'page/server/site.ts',
    find: 'if (origin !== undefined && origin !==',
    replace: 'if (origin === "null" && origin !==',
    tests: SERVER,
  },
  {
    name: 'any number of pages',
    file: 'page/server/site.ts',
    find: 'this.#viewers.size >= this.#maxViewers',
    replace: 'this.#viewers.size > 1e6',
    tests: SERVER,
  },
  {
    name: 'a command of any length is read',
    file: 'page/server/site.ts',
    find: 'if (text.length > maxBytes)',
    replace: 'if (text.length > maxBytes * 1e6)',
    tests: SERVER,
  },
  {
    name: 'a viewer that does not read is kept',
    file: 'page/server/viewers.ts',
    find: 'const MAX_UNREAD_BYTES = 8 * 1024 * 1024',
    replace: 'const MAX_UNREAD_BYTES = 1e12',
    tests: SERVER,
  },
  {
    name: 'what was missed is not told',
    file: 'page/server/group-stream.ts',
    find: 'this.#toldOf(id).next += items',
    replace: 'this.#toldOf(id).next += 0 * items',
    tests: SERVER,
  },
  {
    name: 'items are numbered as if there were none before',
    file: 'page/server/group-stream.ts',
    find: 'told.next += items.length',
    replace: 'told.next = items.length',
    tests: SERVER,
  },
  {
    name: 'a late viewer is told again what its picture has',
    file: 'page/server/group-stream.ts',
    find: '    this.#flushAll()\n    const { model } = this',
    replace: '    const { model } = this',
    tests: SERVER,
  },
  {
    name: 'lines of a recording that are none are passed on',
    file: 'page/server/replay-source.ts',
    find: `if (!isFirst && line.startsWith('{"atMs":')) yield line`,
    replace: 'if (!isFirst) yield line',
    tests: SERVER,
  },
  {
    name: 'timers of a member that stands still go on',
    file: 'cli/demo/stage/stall.ts',
    find: 'systemClock.setTimeout(() => this.#when(run), delayMs)',
    replace: 'systemClock.setTimeout(run, delayMs)',
    tests: STALL,
  },
  {
    name: 'one that is cut off hears',
    file: 'cli/demo/stage/stall.ts',
    find: '      if (this.#isCut) return\n      if (!this.#isPaused)',
    replace: '      if (!this.#isPaused)',
    tests: STALL,
  },
  {
    name: 'one that is cut off is heard',
    file: 'cli/demo/stage/stall.ts',
    find: 'if (this.#isCut) return true',
    replace: '',
    tests: STALL,
  },
  {
    name: 'what waited for a member that is killed comes to the next one',
    file: 'cli/demo/stage/stall.ts',
    find: 'this.#held.length = 0\n',
    replace: '',
    tests: STALL,
  },
  {
    name: 'the same leader again has taken over',
    file: 'page/browser/logic/headline.ts',
    find: 'from !== null && from !== leader',
    replace: 'from !== null',
    tests: LOGIC,
  },
  {
    name: 'of two leaders the older one is named',
    file: 'page/browser/logic/headline.ts',
    find: 'leading].sort((a, b) => b.term - a.term)[0]',
    replace: 'leading].sort((a, b) => a.term - b.term)[0]',
    tests: LOGIC,
  },
  {
    name: 'a step back shows nothing anew',
    file: 'page/browser/logic/player.ts',
    find: 'const isAnew = to < this.#nowMs',
    replace: 'const isAnew = false',
    tests: LOGIC,
  },
  {
    name: "the candidate's word hides the voter's reason",
    file: 'page/browser/logic/lanes.ts',
    find: 'reason: reason ?? known?.reason ?? null',
    replace: 'reason',
    tests: LOGIC,
  },
  {
    name: 'samples are kept for ever',
    file: 'page/samples.ts',
    find: 'samples.splice(0, Math.max(old, samples.length - MAX_OF_MEMBER))',
    replace: '',
    tests: LOGIC,
  },
]
