// What may stand in a message: each kind of field with its bounds, as a schema and in the words of docs/protocol.md.

import { z } from 'zod'
import { isMemberName } from '../../subjects.ts'

export const TERM = z.int().min(1).describe('whole number, 1 to 2^53 − 1')
/** The term of a position; 0 goes with "nothing there". */
export const TERM_OR_NONE = z.int().min(0).describe('whole number, 0 to 2^53 − 1; 0: none')
export const INDEX = z.int().min(0).describe('whole number, 0 to 2^53 − 1')
/** See rules/identity.ts; it is said in every answer that may count for something. */
export const IDENTITY = z.int().min(0).describe('whole number, 0 to 2^53 − 1; 0: none')
export const FLAG = z.boolean().describe('true or false')
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
  return field.default(missing).describe(`${field.description}; ${shown} when it is missing`)
}

/** The first finding in a few words: which field, and what is wrong with it. */
export function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return 'not this message'
  return issue.path.length === 0
    ? issue.message
    : `field ${issue.path.map(String).join('.')}: ${issue.message}`
}
