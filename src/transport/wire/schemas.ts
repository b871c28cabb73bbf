// What each message looks like as a tuple after CBOR is decoded. Every tuple begins with the version of the protocol
// and the sender, and ends with the checksum; an answer continues with null, or with the error in place of its fields.

import { z } from 'zod'
import type { RemoteErrorCode } from '../rpc/peer-rpc.ts'
import { isMemberName } from '../subjects.ts'
import { type EntryRun, isDataList, isRunList } from './entries.ts'

export const PROTOCOL_VERSION = 1
export const MAX_REMOTE_MESSAGE_LENGTH = 512

const version = z.literal(PROTOCOL_VERSION)
const member = z.string().refine(isMemberName, 'must be a member name')
const index = z.int().min(0)
const term = z.int().min(1)
/** The term of a position; 0 goes with "nothing there". */
const termOrNone = z.int().min(0)
/** Already compared with the bytes, at the door. */
const checksum = z.int().min(0).max(0xffff_ffff)

export const voteRequest = z.tuple([
  version,
  member,
  term,
  index,
  termOrNone,
  z.union([z.null(), z.tuple([member, term])]),
  checksum,
])
export const appendRequest = z.tuple([
  version,
  member,
  term,
  index,
  termOrNone,
  index,
  z.custom<EntryRun[]>(isRunList, 'must be runs of [term, type, count] with terms that never go back'),
  z.custom<Uint8Array[]>(isDataList, 'must be an array of byte strings'),
  checksum,
])
export const timeoutNowRequest = z.tuple([version, member, term, z.boolean(), checksum])
export const readIndexRequest = z.tuple([version, member, term, checksum])

export const voteResponse = z.tuple([
  version,
  member,
  z.null(),
  termOrNone,
  z.boolean(),
  z.boolean(),
  z.boolean(),
  termOrNone,
  checksum,
])
export const appendResponse = z.tuple([version, member, z.null(), termOrNone, z.boolean(), index, checksum])
export const timeoutNowResponse = z.tuple([version, member, z.null(), termOrNone, z.boolean(), checksum])
export const readIndexResponse = z.tuple([version, member, z.null(), termOrNone, index, checksum])

const REMOTE_CODES = ['ENOENT', 'EINVAL', 'EBUSY', 'EPERM', 'EINTERNAL'] as const satisfies RemoteErrorCode[]
export const errorResponse = z.tuple([
  version,
  member,
  z.tuple([z.enum(REMOTE_CODES), z.string().max(MAX_REMOTE_MESSAGE_LENGTH)]),
  checksum,
])

/** The first finding in a few words: which field, and what is wrong with it. */
export function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return 'not this message'
  return issue.path.length === 0
    ? issue.message
    : `field ${issue.path.map(String).join('.')}: ${issue.message}`
}
