// The checker of a simulated group: what it has to know of options, disks and commands.

import { decodeConfiguration } from '../log/configuration-codec.ts'
import type { Tuning } from '../options.ts'
import { EntryType, type LogEntry } from '../rules/types.ts'
import { decodeValue } from '../transport/wire/codec.ts'
import { commandOf } from '../transport/wire/envelope.ts'
import { type CheckerOptions, type EntryRecord, InvariantChecker } from './invariants/invariants.ts'
import { isNumbered } from './observed-machine.ts'
import { leaseLimitMs } from './time/clock-bounds.ts'

export interface GroupCheckerOptions
  extends Required<Pick<CheckerOptions, 'durable' | 'nowMs' | 'stateHashAt' | 'onCanonical' | 'carriesOut'>> {
  readonly tuning: Tuning
}

export function createGroupChecker({ tuning, ...world }: GroupCheckerOptions): InvariantChecker {
  return new InvariantChecker({
    ...world,
    decodeConfiguration: (data) => {
      const entry: LogEntry = { index: 1, term: 1, type: EntryType.CONFIGURATION, data }
      return decodeConfiguration(entry) ?? { peers: [], oldPeers: [] }
    },
    identify: callOf,
    seesEveryMessage: true,
    voteHeldMs: tuning.leaderLease ? tuning.electionTimeoutMs : null,
    leaseLimitMs: leaseLimitMs(tuning),
    retention: { marginEntries: tuning.logMarginEntries, maxRetainedBytes: tuning.maxRetainedLogBytes },
  })
}

/** The number that simulated clients give every command; null for what nobody proposed. */
export function callOf({ type, data }: EntryRecord): string | null {
  if (type !== EntryType.DATA) return null
  const decoded = decodeValue(commandOf(data))
  return decoded.ok && isNumbered(decoded.value) ? String(decoded.value.id) : null
}
