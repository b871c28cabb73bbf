// What is thrown where nobody listens: in a promise that is not handed on, in a loop over other people's completions.
// Either ends the process, or skips whoever came after. Biome finds promises that nobody waits for; here are those whose
// handlers may throw themselves, and the loops.

import { describe, expect, it } from 'vitest'
import { type Source, sourcesIn } from './support/sources.ts'

/** Places that are right as they are, and why. A line here is a promise of whoever wrote it. */
const JUDGED: Readonly<Record<string, string>> = {
  'src/actors/apply/reading.ts: this.#settle': 'shelters what it calls',
  'src/actors/apply/user-code.ts: value.then': 'both handlers end in an event of the apply queue',
  'src/actors/snapshot/machine-snapshots.ts: void writer.addFile': 'the writer keeps what fails for `finish`',
  'src/commands/command-machine.ts: void writer.addFile': 'the writer keeps what fails for `finish`',
  'src/cli/demo/story.ts: load.then': 'the handler sets a variable',
  'src/cli/kv/shell.ts: void answerLine': 'ends in the rejection of the whole shell',
  'src/client/admission.ts: resolve': 'resolves a promise, which never throws',
  'src/client/lane.ts: operation.reject': 'rejects a promise, which never throws',
  'src/client/watch/lease-keeper.ts: asked.reply.then':
    'both handlers tell the model, which shelters its listeners, and set a timer',
  'src/client/watch/watch-group.ts: askStatus(question).then':
    'both handlers tell the model, which shelters its listeners, and set a timer',
  'src/client/watch/watch-group.ts: resolve': 'resolves a promise, which never throws',
  'src/embedding/raft-session.ts: void this.#carryOut': 'catches everything itself',
  'src/replicated/remote-instances.ts: void this.#follow': 'catches everything itself',
  'src/page/server/group-list.ts: this.now().then':
    'its listeners are sheltered, and what fails sets a timer',
  'src/page/server/group-list.ts: this.now().then((groups)=>{for(constlistenerof[...this.#listeners])sheltered(()=>listener(groups),()=>this.#listeners.delete(listener),)}).then':
    'both handlers set a timer',
  'src/page/server/site.ts: this.#list.now().then': 'both handlers write to a viewer, which never throws',
  'src/page/server/site.ts: pass().catch': 'the handler ends the answer',
  'src/page/server/site.ts: void response.destroy': 'ends the answer',
  'src/services/operations.ts: answers.settle':
    'throws into the endpoint, which counts, or the member port, which reports',
  'src/simulation/bus/sim-transport.ts: handler': 'what throws there has to end the simulation',
  'src/simulation/campaign/campaign.ts: finish': 'a check, whose violation has to end the simulation',
  'src/simulation/reference-machine.ts: void this.#machine.apply': 'the built-in machine answers at once',
  'src/simulation/services/bus-client.ts: this.#ask(command,level,op).then':
    'what throws there has to end the simulation',
  'src/simulation/sim-process.ts: handler': 'what throws there has to end the simulation',
  'src/simulation/side-groups.ts: failed': 'a check, which keeps what it finds until the step is over',
  'src/simulation/time/time-driver.ts: promise.then': 'the handlers settle promises and give turns',
  'src/simulation/time/time-driver.ts: reject': 'rejects a promise, which never throws',
  'src/simulation/time/time-driver.ts: void this.#drive': 'catches everything itself',
  'src/storage/memory/memory-storage.ts: done': 'whoever asks completes through a shelter',
  'src/storage/sqlite/disk-thread-handle.ts: void thread.stop':
    'never rejects; the handler rejects a promise',
  'src/storage/sqlite/request-queue.ts: done': 'whoever asks completes through a shelter',
  'src/storage/sqlite/sqlite-storage.ts: void this.#fetches.close':
    'never rejects; the handler puts in a request',
  'src/storage/sqlite/sqlite-storage.ts: void Promise.all':
    'stopping a thread never rejects; closers are called in a shelter',
  'src/transport/rpc/pending-calls.ts: call.failed': 'the endpoint that adds a call shelters its end',
}

/** Names under which other people's code is called. */
const COMPLETION =
  /(?<![\w#])(?:\w+\.)?#?(done|settle|settled|failed|answered|handler|listener|callback|reply|notify|resolve|reject|look|onEnd|finish)\(/

/** What keeps one that throws from the others. */
const SHELTER = /\bshelter(ed)?\(|\btry \{/

const sources = sourcesIn('src').filter(({ path }) => !path.startsWith('src/testing/'))

interface Hit {
  readonly path: string
  /** What is called there: with the path a name that stays when lines move. */
  readonly call: string
  readonly where: string
}

const nameOf = ({ path, call }: Hit): string => `${path}: ${call}`

function hitAt(source: Source, at: number, call: string): Hit {
  const line = source.code.slice(0, at).split('\n').length
  const text = (source.text.split('\n')[line - 1] ?? '').trim()
  return { path: source.path, call, where: `${source.path}:${line}: ${call} in ${text}` }
}

/** The end of what begins at an opening bracket. */
function pastBrackets(code: string, open: number): number {
  let depth = 0
  for (let at = open; at < code.length; at += 1) {
    if ('([{'.includes(code[at] ?? '')) depth += 1
    if (')]}'.includes(code[at] ?? '')) depth -= 1
    if (depth === 0) return at + 1
  }
  return code.length
}

/** Where the expression begins that ends before `at`: names, dots and whatever is in brackets. */
function startOfChain(code: string, at: number): number {
  let start = at
  for (;;) {
    const before = code.slice(0, start)
    const name = /[\w$#.?!]+\s*$/.exec(before)
    if (name !== null && !/^(return|await|void|new|typeof)\s*$/.test(name[0])) start = name.index
    else if (/[)\]]\s*$/.test(before)) start = openingOf(code, before.trimEnd().length - 1)
    else return start
  }
}

function openingOf(code: string, close: number): number {
  let depth = 0
  for (let at = close; at >= 0; at -= 1) {
    if (')]}'.includes(code[at] ?? '')) depth += 1
    if ('([{'.includes(code[at] ?? '')) depth -= 1
    if (depth === 0) return at
  }
  return 0
}

/** Promises with handlers that are neither returned, awaited, kept nor handed on. */
function droppedPromises(source: Source): readonly Hit[] {
  const { code } = source
  return [...code.matchAll(/\.(then|catch|finally)\(/g)].flatMap((match) => {
    const start = startOfChain(code, match.index)
    const before = code.slice(0, start).trimEnd()
    const handedOn = /(\breturn|\bawait|[=(,:?[{&|]|=>)$/.test(before) && !/[^=!<>]=>?\s*\{$/.test(before)
    const opensBlock = /(\)|=>|\belse|\btry)\s*\{$/.test(before)
    const isVoided = /\bvoid$/.test(before)
    if (isVoided || (handedOn && !opensBlock)) return []
    return [
      hitAt(source, match.index, code.slice(start, match.index).replace(/\s+/g, '') + match[0].slice(0, -1)),
    ]
  })
}

/** Calls whose promise is thrown away on purpose. */
function voidedCalls(source: Source): readonly Hit[] {
  return [...source.code.matchAll(/(?<!:\s*|=>\s*\()\bvoid ([\w$#.!?]+)\(/g)]
    .filter(([, call = '']) => !/\.(delete|add|send)$|^setImmediate$/.test(call))
    .map((match) => hitAt(source, match.index, `void ${match[1]}`))
}

/** Loops that call completions without a shelter around each. */
function unshelteredLoops(source: Source): readonly Hit[] {
  const { code } = source
  return [...code.matchAll(/\bfor \((?:const|let) [^;]*? of |\.forEach\(/g)].flatMap((match) => {
    const open = code.indexOf('(', match.index)
    const head = pastBrackets(code, open)
    const isCall = match[0].startsWith('.')
    const rest = code.slice(head)
    const body = isCall
      ? code.slice(open, head)
      : /^\s*\{/.test(rest)
        ? code.slice(head, pastBrackets(code, head + rest.indexOf('{')))
        : (/^[^\n]*\n?(?:\s+[.?].*\n)*/.exec(rest)?.[0] ?? '')
    const call = COMPLETION.exec(body)?.[0]
    // Loops within are looked at by themselves.
    if (call === undefined || SHELTER.test(body) || /\bfor \(/.test(body)) return []
    return [hitAt(source, match.index, call.slice(0, -1))]
  })
}

const hits = sources.flatMap((source) => [
  ...droppedPromises(source),
  ...voidedCalls(source),
  ...unshelteredLoops(source),
])

describe('what is thrown', () => {
  it('has somebody who hears it: no promise is dropped, no completion called in a loop, unless it was judged', () => {
    const unjudged = hits.filter((hit) => JUDGED[nameOf(hit)] === undefined)
    expect(unjudged.map(({ where }) => where)).toEqual([])
  })

  it('was judged only where it still is', () => {
    const names = new Set(hits.map(nameOf))
    expect(Object.keys(JUDGED).filter((name) => !names.has(name))).toEqual([])
  })
})

describe('the scanner behind this rule', () => {
  const found = (code: string): number => {
    const source = { path: 'x.ts', text: code, code }
    return [...droppedPromises(source), ...voidedCalls(source), ...unshelteredLoops(source)].length
  }
  it.each([
    ['a promise with a handler', 'function f() {\n  node.read(q).then((x) => done(x))\n}'],
    ['a promise with both handlers', 'load.then(ended, ended)'],
    ['a promise that is caught, whose handler may throw', 'f()\n  .a(b)\n  .catch((e) => log(e))'],
    ['a call that is declared void', 'void this.#watch()'],
    ['a loop over completions', 'for (const done of waiting) done()'],
    ['a loop over calls', 'for (const { call } of calls) {\n  call.failed(x)\n}'],
    ['a forEach', 'waiting.forEach((each) => each.done(x))'],
  ])('finds %s', (_, code) => {
    expect(found(code)).toBe(1)
  })

  it.each([
    ['what is returned', 'return node.read(q).then((x) => x)'],
    ['what is awaited', 'await f().then(g)'],
    ['what is kept', 'this.#closing = f().then(g)'],
    ['what is handed on', 'g(f().then(h))'],
    ['what a function gives', 'const f = () => g().then(h)'],
    ['a type', 'type F = () => void\nconst f = (): void => g(x)'],
    ['a loop with a shelter', 'for (const done of waiting) sheltered(done, report)'],
    ['a loop that tries', 'for (const x of y) {\n  try {\n    x.done()\n  } catch {}\n}'],
    ['another loop', 'for (const x of y) x.add(1)'],
  ])('leaves %s', (_, code) => {
    expect(found(code)).toBe(0)
  })
})
