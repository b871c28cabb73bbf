// How a command ends: exit codes, and which of them an error deserves.

import { isQuorateError, type QuorateError } from '../errors.ts'
import { messageOf } from '../runtime/errors.ts'
import { isThreadHanging } from '../storage/sqlite/threads.ts'

export const ExitCode = { OK: 0, FAILED: 1, USAGE: 2, NO_LEADER: 3, UNKNOWN: 4, REFUSED: 5 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export const EXIT_CODES_HELP = `Exit codes: 0 ok, 1 failed, 2 usage, 3 no leader, 4 outcome unknown, 5 refused.`

/** An error of the command itself. The message is one sentence for a person. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode
  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode
  if (!isQuorateError(error)) return ExitCode.FAILED
  return error.outcome === 'unknown' ? ExitCode.UNKNOWN : exitCodeOfCode(error)
}

function exitCodeOfCode({ code, cause }: QuorateError): ExitCode {
  switch (code) {
    case 'INVALID':
      return ExitCode.USAGE
    case 'NO_LEADER':
    case 'NOT_LEADER':
      return ExitCode.NO_LEADER
    case 'CONFLICT':
    case 'TERM_MISMATCH':
    case 'LOG_DELETED':
    case 'NO_MORE_LOG':
    case 'TOO_LARGE':
    case 'LEASE_EXPIRED':
    case 'UNSUPPORTED':
    case 'BUSY':
    case 'CATCH_UP':
    case 'READONLY':
    case 'UNREACHABLE':
      return ExitCode.REFUSED
    case 'STORAGE':
      return isRefusalOfDisk(cause) ? ExitCode.REFUSED : ExitCode.FAILED
    default:
      return ExitCode.FAILED
  }
}

/** The disk is fine, but it is not ours. */
function isRefusalOfDisk(cause: unknown): boolean {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return false
  return cause.code === 'LOCKED' || cause.code === 'FOREIGN' || cause.code === 'VERSION'
}

/**
 * To be called when there is nothing left to do. Node waits for a disk thread that hangs in the operating system, at the
 * end of the program and in `process.exit` alike, and for ever: then only a signal ends this process.
 */
export function endThoughDiskHangs(): void {
  if (isThreadHanging()) process.kill(process.pid, 'SIGKILL')
}

/** What went wrong, as one sentence. */
export function sentenceOf(error: unknown): string {
  const text = messageOf(error).replace(/\s+/g, ' ').trim()
  return /[.!?]$/.test(text) ? text : `${text}.`
}
