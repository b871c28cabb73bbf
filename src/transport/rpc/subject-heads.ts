// Subjects without their last token, kept for those whom somebody here calls.

import type { PeerId } from '../../rules/types.ts'
import { rpcAnswerHead, rpcSubjectHead } from '../subjects.ts'

export class SubjectHeads {
  readonly #prefix: string
  readonly #id: PeerId
  readonly #inbox: string
  readonly #requests = new Map<string, Map<PeerId, string>>()
  readonly #answers = new Map<PeerId, string>()

  constructor(prefix: string, id: PeerId, inbox: string) {
    this.#prefix = prefix
    this.#id = id
    this.#inbox = inbox
  }

  /** Of requests to `to`, without their method. @throws QuorateError INVALID for what is no name. */
  request(group: string, to: PeerId): string {
    let heads = this.#requests.get(group)
    if (heads === undefined) {
      heads = new Map()
      this.#requests.set(group, heads)
    }
    let head = heads.get(to)
    if (head === undefined) {
      head = rpcSubjectHead(this.#prefix, group, to, this.#id)
      heads.set(to, head)
    }
    return head
  }

  /** Where the answers of `to` are heard, without their token. */
  answer(to: PeerId): string {
    let head = this.#answers.get(to)
    if (head === undefined) {
      head = rpcAnswerHead(this.#inbox, to)
      this.#answers.set(to, head)
    }
    return head
  }
}
