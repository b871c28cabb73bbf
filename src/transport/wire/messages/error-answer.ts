// The answer of a member that does not carry a request out: `[version, from, [code, message], checksum]`. Every method
// may be answered so.

import { z } from 'zod'

/** Most characters of the message; longer ones are cut before they are sent. */
export const MAX_REMOTE_MESSAGE_LENGTH = 512
const MAX_CODE_LENGTH = 32

/** What each code says to whoever asked. */
export const REMOTE_ERRORS = {
  ENOENT: 'no member of that group here, or not what was asked for',
  EINVAL: 'the member is not active, or the request makes no sense to it',
  EBUSY: 'not now; a repeated request may succeed',
  EPERM: 'the member is not in the role for it',
  ENOMETHOD: 'the member is of an earlier version that does not know the method',
  EINTERNAL: 'the member failed; also read in the place of a code that is not in this list',
} as const

/** Errors that a member answers with. */
export type RemoteErrorCode = keyof typeof REMOTE_ERRORS

export interface RemoteError {
  readonly code: RemoteErrorCode
  readonly message: string
}

/** A later minor version may have further codes, and more to say. */
export const ERROR_ITEM: z.ZodType<RemoteError> = z
  .tuple([z.string().max(MAX_CODE_LENGTH), z.string().max(MAX_REMOTE_MESSAGE_LENGTH)])
  .rest(z.unknown())
  .transform(([code, message]) =>
    isRemoteErrorCode(code) ? { code, message } : { code: 'EINTERNAL', message: `${code}: ${message}` },
  )

export function errorItem({ code, message }: RemoteError): unknown[] {
  return [code, message.slice(0, MAX_REMOTE_MESSAGE_LENGTH)]
}

function isRemoteErrorCode(code: string): code is RemoteErrorCode {
  return Object.hasOwn(REMOTE_ERRORS, code)
}
