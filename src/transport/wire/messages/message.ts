// How a message is described, once: its fields in order, how they become a tuple and a tuple becomes them, and how large
// its frames may be. Codecs, traces and the page docs/protocol.md are made from these descriptions.
//
// Within a major version tuples only grow at their end. A receiver ignores items that it does not know, and reads a
// missing one as the field's default, so that members of neighboring versions understand each other.

import { z } from 'zod'
import { badBody, type FrameDoor, type Result } from '../sealed-tuple.ts'
import { checkOf, describeIssue } from './fields.ts'

/** Every tuple ends with its checksum. */
const CHECKSUM_ITEMS = 1
/** Values that later minor versions may add to a message, nested ones and the head of the tuple included. */
export const SPARE_ITEMS = 64
/** Containers inside each other that such a message may have. */
const SMALL_DEPTH = 4

/** For a handful of numbers and names: nearly every request and answer. */
export const SMALL_FRAME: FrameDoor = {
  maxBytes: 4096,
  gate: { maxDepth: SMALL_DEPTH, maxItems: SPARE_ITEMS },
  ownership: 'view',
}

/** One direction of a message: `M` as it is read, `Sent` as it may be said, without what was added later. */
export interface Layout<M, Sent = M> {
  /** Name and schema of every field, in the order of the tuple. */
  readonly fields: z.ZodRawShape
  /** The fields of a message as they stand in the tuple, in order and all of them. */
  toItems(message: Sent): unknown[]
  /** Reads the fields that begin at `first`, and checks all of them. Never throws. */
  fromItems(tuple: readonly unknown[], first: number): Result<M>
}

/** A request, its answer, and what is special about them. */
export interface Message<Request, Answer, SentAnswer = Answer> {
  /** What traces, faults and scenarios call the request; the answer is called the same with `Ack`. */
  readonly kind: string
  /** For the request. */
  readonly frame: FrameDoor
  readonly answerFrame: FrameDoor
  readonly request: Layout<Request>
  readonly answer: Layout<Answer, SentAnswer>
}

type Fields<S extends z.ZodRawShape> = z.output<z.ZodObject<S>>
/** The message that has these fields. */
export type MessageWith<S extends z.ZodRawShape> = Readonly<Fields<S>>
type AddedLater<S extends z.ZodRawShape> = { [K in keyof S]: S[K] extends z.ZodDefault ? K : never }[keyof S]
/** The same, but who says it may leave out what was added later. */
export type SentWith<S extends z.ZodRawShape> = Omit<MessageWith<S>, AddedLater<S>> &
  Partial<Pick<MessageWith<S>, AddedLater<S> & keyof MessageWith<S>>>

/** A message that is nothing but its fields. */
export function layout<S extends z.ZodRawShape>(
  fields: S,
  toItems: (message: SentWith<S>) => unknown[],
): Layout<MessageWith<S>, SentWith<S>> {
  return layoutOf(fields, toItems, (value) => ({ ok: true, value }))
}

/** A message that is made from its fields, with a look at all of them together. */
export function layoutOf<S extends z.ZodRawShape, M, Sent = M>(
  fields: S,
  toItems: (message: Sent) => unknown[],
  build: (fields: Fields<S>) => Result<M>,
): Layout<M, Sent> {
  const names = Object.keys(fields)
  const schema = z.object(fields)
  const checks = Object.values(fields).map(checkOf)
  /** Whatever fails, or is not there, is judged and described by the schema. */
  const isSound = (named: Record<string, unknown>): named is Record<string, unknown> & Fields<S> => {
    for (let i = 0; i < names.length; i += 1) if (checks[i]?.(named[names[i] ?? '']) !== true) return false
    return true
  }
  return {
    fields,
    toItems,
    fromItems: (tuple, first) => {
      const named: Record<string, unknown> = {}
      // The checksum is the last item, whatever is missing before it. What follows the known fields is of later versions.
      const end = Math.min(names.length, tuple.length - CHECKSUM_ITEMS - first)
      for (let i = 0; i < end; i += 1) named[names[i] ?? ''] = tuple[first + i]
      if (isSound(named)) return build(named)
      const parsed = schema.safeParse(named)
      return parsed.success ? build(parsed.data) : badBody(describeIssue(parsed.error))
    },
  }
}
