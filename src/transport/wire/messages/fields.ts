// What may stand in a message: each kind of field with its bounds, as a schema and in the words of docs/protocol.md.

import { z } from 'zod'
import { isMemberName } from '../../subjects.ts'

type Check = (value: unknown) => boolean

const checks = new WeakMap<object, Check>()

/** A field that is checked by hand, because it comes with every message; its schema says the same, and what is wrong. */
export function checked<S extends z.ZodType>(field: S, check: Check): S {
  checks.set(field, check)
  return field
}

/** Undefined: only the schema can tell. */
export const checkOf = (field: object): Check | undefined => checks.get(field)

const isWhole: Check = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isTerm: Check = (value) => isWhole(value) && value !== 0

export const TERM = checked(z.int().min(1).describe('whole number, 1 to 2^53 − 1'), isTerm)
/** The term of a position; 0 goes with "nothing there". */
export const TERM_OR_NONE = checked(z.int().min(0).describe('whole number, 0 to 2^53 − 1; 0: none'), isWhole)
export const INDEX = checked(z.int().min(0).describe('whole number, 0 to 2^53 − 1'), isWhole)
/** See rules/identity.ts; it is said in every answer that may count for something. */
export const IDENTITY = checked(z.int().min(0).describe('whole number, 0 to 2^53 − 1; 0: none'), isWhole)
export const FLAG = checked(z.boolean().describe('true or false'), (value) => typeof value === 'boolean')
export const MEMBER = z.string().refine(isMemberName, 'must be a member name').describe('name of a member')

/**
 * A field that was added after the first release of this major version: a member of an earlier minor version does not
 * send it, and then it is read as `missing`. Such fields stand at the end, in the order in which they came.
 */
export function addedLater<S extends z.ZodType<number | boolean | readonly unknown[]>>(
  field: S,
  missing: z.output<S> & z.util.NoUndefined<z.output<S>>,
) {
  const shown = Array.isArray(missing) ? 'empty' : String(missing)
  const later = field.default(missing).describe(`${field.description}; ${shown} when it is missing`)
  const check = checkOf(field)
  return check === undefined ? later : checked(later, check)
}

/** The first finding in a few words: which field, and what is wrong with it. */
export function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return 'not this message'
  return issue.path.length === 0
    ? issue.message
    : `field ${issue.path.map(String).join('.')}: ${issue.message}`
}
