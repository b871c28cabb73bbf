// Carries out what operators ask of one member: checks the request, has the node do it, answers when it has ended, and
// writes down who asked for what. Whoever asks for what is being done already waits for the same end.

import type { ConfigurationInfo, RaftNode } from '../api.ts'
import { isQuorateError, QuorateError } from '../errors.ts'
import {
  type AdminAnswer,
  type AdminRequest,
  type AdminVerb,
  encodeAdminAnswer,
  formOf,
  type PayloadForm,
  parseAdminRequest,
  refusalOf,
} from '../protocol/admin-verbs.ts'
import { isSoundError } from '../protocol/client-protocol.ts'
import { inboxUserOf } from '../protocol/subjects.ts'
import { messageOf, sheltered } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Transport } from '../transport/transport.ts'
import type { Request } from './endpoint.ts'
import type { FeedDesk } from './feed-desk.ts'
import type { Member } from './member-port.ts'
import type { OperationContext } from './operations.ts'

/** Different requests under way at a time, and askers that wait for one of them. */
const MAX_RUNNING = 32
const MAX_WAITING = 64
/** Unless whoever asks says how long. */
const HASH_WAIT_MS = 5000

export interface AdminDeskOptions {
  readonly node: RaftNode
  readonly member: Member
  readonly transport: Transport
  readonly standing: OperationContext['standing']
  readonly feed: FeedDesk
  readonly logger: Logger
}

interface Asker {
  readonly replyTo: string
  /** Named by the subject; null: it names nobody. */
  readonly sender: string | null
  readonly form: PayloadForm
}

type HashRequest = Extract<AdminRequest, { readonly verb: 'state_hash' }>
type Ended = (result: AdminAnswer | QuorateError) => void

export class AdminDesk {
  readonly #options: AdminDeskOptions
  /** Who waits for the end of what, by what was asked. */
  readonly #running = new Map<string, Asker[]>()

  constructor(options: AdminDeskOptions) {
    this.#options = options
  }

  /** @param refuse takes note of a refused message, in one sentence. */
  handle(verb: AdminVerb, { message, replyTo, sender }: Request, refuse: (reason: string) => void): void {
    const asker = { replyTo, sender, form: formOf(message.payload) }
    const parsed = parseAdminRequest(verb, message.payload)
    if (!parsed.ok) {
      refuse(parsed.problem)
      const text = `Request ${verb} not understood: ${parsed.problem}.`
      return this.#answer(asker, new QuorateError('INVALID', text))
    }
    const request = parsed.value
    if (request.verb === 'get_leader') return this.#answer(asker, this.#leader())
    if (request.verb === 'list_peers') return this.#answer(asker, this.#list())
    // It changes nothing, and viewers ask every few seconds.
    if (request.verb === 'inspect') return this.#answer(asker, this.#options.feed.answer(request))
    if (request.verb === 'state_hash') return this.#hash(request, asker)
    this.#begin(request, asker)
  }

  /** Changes nothing either; the member bounds how many of these wait. */
  #hash({ index, waitMs = HASH_WAIT_MS }: HashRequest, asker: Asker): void {
    const { member, node } = this.#options
    member.stateHash({ index: index ?? null, waitMs }, (answer) =>
      this.#answer(
        asker,
        answer.ok
          ? { ok: true, member: node.id, index: answer.index, hash: answer.hash }
          : errorOf(answer.error),
      ),
    )
  }

  #begin(request: AdminRequest, asker: Asker): void {
    const key = JSON.stringify(request)
    const waiting = this.#running.get(key)
    if (
      (waiting?.length ?? 0) >= MAX_WAITING ||
      (waiting === undefined && this.#running.size >= MAX_RUNNING)
    ) {
      const text = 'Too much is asked of this member at once.'
      return this.#answer(asker, new QuorateError('BUSY', text, { retryable: true }))
    }
    this.#log(request, asker, waiting === undefined ? 'begun' : 'joined')
    if (waiting !== undefined) {
      waiting.push(asker)
      return
    }
    this.#running.set(key, [asker])
    this.#carryOut(request, (result) => {
      const askers = this.#running.get(key) ?? []
      this.#running.delete(key)
      this.#log(request, asker, result)
      for (const each of askers) this.#answer(each, result)
    })
  }

  /** `ended` comes once, with whatever the node says or throws. */
  #carryOut(request: AdminRequest, ended: Ended): void {
    let open = true
    const end: Ended = (result) => {
      if (open) ended(result)
      open = false
    }
    sheltered(
      () => this.#run(request, end),
      (thrown) => end(errorOf(thrown)),
    )
  }

  #run(request: AdminRequest, end: Ended): unknown {
    const { node, member } = this.#options
    switch (request.verb) {
      case 'transfer_leader':
        return node
          .transferLeadership(request.peer)
          .then(({ leader, term }) => end({ ok: true, leader, term }))
      case 'snapshot':
        return member.snapshot((outcome) => end(outcome.ok ? outcome : errorOf(outcome.error)))
      case 'readonly': {
        const { on } = request
        node.setReadonly(on)
        return end({ ok: true, readonly: on })
      }
      default: {
        const before = viewOf(node.members())
        return Promise.resolve(this.#change(request)).then(() =>
          end({ ok: true, before, after: viewOf(node.members()) }),
        )
      }
    }
  }

  #change(request: AdminRequest): unknown {
    const { node } = this.#options
    switch (request.verb) {
      case 'add_peer': {
        const { verb: _, expect, peer: id, ...wish } = request
        return node.addPeer({ id, ...wish }, optionsOf(expect))
      }
      case 'remove_peer':
        return node.removePeer(request.peer, optionsOf(request.expect))
      case 'change_peers':
        return node.changePeers(request.peers, optionsOf(request.expect))
      case 'promote':
        return node.promote(request.peer, optionsOf(request.expect))
      case 'demote':
        return node.demote(request.peer, optionsOf(request.expect))
      case 'set_priority':
        return node.setPriority(request.peer, request.priority, optionsOf(request.expect))
      case 'reset_peer':
        if (request.confirm !== node.group) {
          const why = `confirm is ${request.confirm}, and this group is called ${node.group}`
          throw new QuorateError('INVALID', `The members were not reset: ${why}.`)
        }
        return node.resetPeers(request.peers, { force: true })
      default:
        throw new QuorateError('UNSUPPORTED', `${request.verb} is not carried out.`)
    }
  }

  #leader(): AdminAnswer<'get_leader'> | QuorateError {
    const { leader, term, id } = this.#options.standing()
    if (leader !== null) return { ok: true, leader, term }
    return new QuorateError('NO_LEADER', `Member ${id} knows of no leader in term ${term}.`, {
      retryable: true,
    })
  }

  #list(): AdminAnswer<'list_peers'> {
    const { id: member, term, leader } = this.#options.standing()
    return { ok: true, member, term, ...viewOf(this.#options.node.members()), leader }
  }

  #answer({ replyTo, form }: Asker, result: AdminAnswer | QuorateError): void {
    const { transport } = this.#options
    const send = (answer: object): boolean => {
      const bytes = encodeAdminAnswer(answer, form)
      if (bytes.byteLength > transport.status().maxPayloadBytes) return false
      // The bus may be down: then whoever asked hears nothing, looks, and asks again.
      transport.publish(replyTo, bytes)
      return true
    }
    if (send(isQuorateError(result) ? refusalOf(result) : result)) return
    send(
      refusalOf(
        new QuorateError('TOO_LARGE', 'It is done; the answer is larger than a message.', {
          outcome: 'applied',
        }),
      ),
    )
  }

  /**
   * The record of what operators did: `by` is whom the subject names, which a bus with permissions has made sure of; else the
   * user that the bus lets hear the answer.
   */
  #log(
    { verb, ...args }: AdminRequest,
    { replyTo, sender }: Asker,
    outcome: 'begun' | 'joined' | object,
  ): void {
    const { logger, node } = this.#options
    const fields = {
      group: node.group,
      verb,
      arguments: args,
      by: sender ?? inboxUserOf(replyTo),
      byFrom: sender === null ? 'inbox' : 'subject',
      replyTo: replyTo.slice(0, 128),
    }
    if (outcome === 'begun' || outcome === 'joined') {
      const isGrave = verb === 'reset_peer' || verb === 'readonly'
      logger[isGrave ? 'warn' : 'info']({ ...fields, outcome }, `An operator asks for ${verb}.`)
    } else if (isQuorateError(outcome)) {
      const { code, message } = outcome
      logger.warn({ ...fields, outcome: code, error: message }, `${verb} was not done: ${message}`)
    } else logger.info({ ...fields, outcome: 'done' }, `${verb} is done.`)
  }
}

function optionsOf(expect: readonly string[] | undefined): { readonly expect?: readonly string[] } {
  return expect === undefined ? {} : { expect }
}

/** Nothing else that a node may add. */
function viewOf({
  peers,
  oldPeers,
  learners,
  witnesses,
  priorities,
  index,
  stage,
  leader,
}: ConfigurationInfo): ConfigurationInfo {
  return { peers, oldPeers, learners, witnesses, priorities, index, stage, leader }
}

function errorOf(thrown: unknown): QuorateError {
  if (isQuorateError(thrown) && isSoundError(thrown)) return thrown
  return new QuorateError('NODE_FAILED', messageOf(thrown), { outcome: 'unknown' })
}
