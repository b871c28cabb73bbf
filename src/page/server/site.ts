// What is answered below the address of a page: its files, the stream, the list of a replay, and what the stage is told to do.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { HttpPage } from '../../observability/http/serve-http.ts'
import { nameSchema } from '../../options.ts'
import { MAX_FIND } from '../../protocol/feed-protocol.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import { STAGE_ACTIONS } from '../page-protocol.ts'
import { type Asset, assetAt } from './assets.ts'
import { GroupList } from './group-list.ts'
import { type Lease, SharedGroups } from './shared-groups.ts'
import type { PageSource } from './source.ts'
import { Viewer } from './viewers.ts'

export interface SiteOptions {
  readonly source: PageSource
  readonly clock?: Clock
  readonly maxViewers?: number
}

const MAX_VIEWERS = 32
const MAX_COMMAND_BYTES = 1024

const commandSchema = z.object({ action: z.enum(STAGE_ACTIONS), member: nameSchema })

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

export class Site implements HttpPage {
  /** Resolves when somebody has come. */
  readonly visited: Promise<void>
  readonly #source: PageSource
  readonly #clock: Clock
  readonly #maxViewers: number
  readonly #groups: SharedGroups
  readonly #list: GroupList
  readonly #viewers = new Set<Viewer>()
  #visit: () => void = () => {}

  constructor({ source, clock = systemClock, maxViewers = MAX_VIEWERS }: SiteOptions) {
    this.#source = source
    this.#clock = clock
    this.#maxViewers = maxViewers
    this.#groups = new SharedGroups(source, clock)
    this.#list = new GroupList(source.groups, clock)
    this.visited = new Promise((resolve) => {
      this.#visit = resolve
    })
  }

  get viewers(): number {
    return this.#viewers.size
  }

  close(): void {
    for (const viewer of [...this.#viewers]) viewer.end()
    this.#groups.close()
    this.#list.close()
  }

  /**
   * @param path what stands behind the page's address, with its query
   * @returns false: it is none of this page's.
   */
  handle(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    const { pathname, searchParams } = new URL(path, 'http://page/')
    const name = pathname.slice(1)
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const asset = isRead ? assetAt(name) : undefined
    if (asset !== undefined) this.#serve(asset, request, response)
    else if (isRead && name === 'stream') this.#stream(searchParams.get('group'), request, response)
    else if (isRead && name === 'instances') this.#find(searchParams, response)
    else if (isRead && name === 'replay' && this.#source.replay !== undefined)
      this.#replay(this.#source.replay(), response)
    else if (name === 'control' && this.#source.stage !== undefined) this.#control(request, response)
    else return false
    return true
  }

  #serve(asset: Promise<Asset>, request: IncomingMessage, response: ServerResponse): void {
    asset.then(
      ({ type, body }) => {
        response.writeHead(200, { ...HEADERS, 'content-type': type, 'content-length': body.byteLength })
        response.end(request.method === 'HEAD' ? undefined : body)
      },
      (error: unknown) => answer(response, 500, messageOf(error)),
    )
  }

  // ---- the stream

  #stream(asked: string | null, request: IncomingMessage, response: ServerResponse): void {
    if (this.#viewers.size >= this.#maxViewers)
      return answer(response, 503, `${this.#maxViewers} pages are open already: close one of them.`)
    if (asked !== null && asked !== '' && !nameSchema.safeParse(asked).success)
      return answer(response, 400, 'That is no name of a group.')
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    const stops: (() => void)[] = []
    const viewer = new Viewer(request, response, this.#clock, () => {
      this.#viewers.delete(viewer)
      for (const stop of stops) stop()
    })
    this.#viewers.add(viewer)
    this.#begin(viewer, asked === '' ? null : asked, stops)
    this.#visit()
  }

  #begin(viewer: Viewer, asked: string | null, stops: (() => void)[]): void {
    const group = asked ?? this.#source.group
    if (group !== null || this.#source.groups === undefined) this.#show(viewer, group ?? '', stops)
    else {
      // The only one is shown at once; of several one is chosen.
      this.#list.now().then(
        (groups) => this.#show(viewer, groups.length === 1 ? (groups[0]?.group ?? '') : '', stops),
        () => this.#show(viewer, '', stops),
      )
    }
    stops.push(this.#list.listen((groups) => viewer.send({ kind: 'groups', groups })))
  }

  #show(viewer: Viewer, group: string, stops: (() => void)[]): void {
    if (!this.#viewers.has(viewer)) return
    const { kind: source, stage, title = '' } = this.#source
    const nowMs = this.#clock.wallMs()
    viewer.send({ kind: 'hello', source, group, title, actions: stage?.actions ?? [], nowMs })
    if (stage !== undefined) {
      for (const note of stage.notes) viewer.send(note)
      viewer.send({ kind: 'stage', members: stage.members })
      stops.push(stage.on((message) => viewer.send(message)))
    }
    if (group === '' || this.#source.watch === undefined) return
    const lease = this.#groups.take(group)
    if (typeof lease === 'string') return viewer.send({ kind: 'problem', problem: lease })
    this.#follow(viewer, lease, stops)
  }

  #follow(viewer: Viewer, lease: Lease, stops: (() => void)[]): void {
    for (const message of lease.stream.opening()) viewer.send(message)
    stops.push(lease.stream.listen((message, json) => viewer.send(message, json)))
    stops.push(() => lease.end())
  }

  // ---- the others

  /** Of a group that somebody looks at: nobody else's members are asked. */
  #find(asked: URLSearchParams, response: ServerResponse): void {
    const group = asked.get('group') ?? this.#source.group ?? ''
    const text = asked.get('find') ?? ''
    const watched = this.#groups.watchedNow(group)
    if (watched?.find === undefined || text === '' || text.length > MAX_FIND)
      return answer(response, 400, 'Ask for instances of a group that is shown, by how their keys begin.')
    watched.find(text).then(
      (found) => {
        response.writeHead(200, { ...HEADERS, 'content-type': 'application/json; charset=utf-8' })
        response.end(JSON.stringify(found))
      },
      (error: unknown) => answer(response, 500, messageOf(error)),
    )
  }

  #replay(lines: AsyncIterable<string>, response: ServerResponse): void {
    response.writeHead(200, { ...HEADERS, 'content-type': 'application/x-ndjson; charset=utf-8' })
    const pass = async (): Promise<void> => {
      for await (const line of lines) {
        if (response.destroyed) return
        if (!response.write(`${line}\n`)) await drained(response)
      }
      response.end()
    }
    pass().catch(() => response.destroy())
  }

  #control(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST')
      return answer(response, 405, 'The stage is told what to do by POST.')
    }
    const { origin, host } = request.headers
    // A page from elsewhere could post here: browsers say for whom they speak.
    if (origin !== undefined && origin !== `http://${host}`)
      return answer(response, 403, 'Only the page itself may do that.')
    readBody(request, MAX_COMMAND_BYTES).then(
      (body) => this.#act(body, response),
      (error: unknown) => answer(response, 413, messageOf(error)),
    )
  }

  #act(body: string, response: ServerResponse): void {
    const command = commandOf(body)
    const { stage } = this.#source
    if (command === undefined || stage === undefined)
      return answer(response, 400, `Send {"action": one of ${STAGE_ACTIONS.join(', ')}, "member": a name}.`)
    stage.act(command).then(
      (refusal) =>
        refusal === null ? response.writeHead(204, HEADERS).end() : answer(response, 409, refusal),
      (error: unknown) => answer(response, 500, messageOf(error)),
    )
  }
}

function commandOf(body: string): z.output<typeof commandSchema> | undefined {
  try {
    return commandSchema.safeParse(JSON.parse(body)).data
  } catch {
    return undefined
  }
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > maxBytes) throw new Error('That is more than any command needs.')
  }
  return text
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

function answer(response: ServerResponse, status: number, line: string): void {
  if (response.headersSent) return void response.destroy()
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${line}\n`)
}
