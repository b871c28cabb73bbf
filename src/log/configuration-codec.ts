// A configuration as the payload of a CONFIGURATION entry: a CBOR tuple [1, peers, oldPeers, identities, newcomers, learners,
// witnesses, priorities]; identities, newcomers and priorities are lists of [member, number]. From `identities` on, what is
// empty at the end is left out.

import { z } from 'zod'
import { memberNameSchema } from '../options.ts'
import type { Configuration, ConfigurationEntry, LogEntry, PeerId } from '../rules/types.ts'
import { StorageError } from '../storage/storage.ts'
import { decodeValue, encodeValue } from '../transport/wire/codec.ts'

const VERSION = 1
const MAX_MEMBERS = 255

const peersSchema = z
  .array(memberNameSchema)
  .max(MAX_MEMBERS)
  .refine((peers) => new Set(peers).size === peers.length, 'must name each member once')
const identitiesSchema = z
  .array(z.tuple([memberNameSchema, z.int().min(1)]))
  .max(2 * MAX_MEMBERS)
  .default([])
const prioritiesSchema = z
  .array(z.tuple([memberNameSchema, z.int().min(0)]))
  .max(2 * MAX_MEMBERS)
  .default([])
const tailSchema = z.object({
  identities: identitiesSchema,
  newcomers: identitiesSchema,
  learners: peersSchema.default([]),
  witnesses: peersSchema.default([]),
  priorities: prioritiesSchema,
})
/** What later minor versions add stands at the end, and is passed over. */
const configurationSchema = z
  .tuple([z.literal(VERSION), peersSchema, peersSchema], z.unknown())
  .transform(([, peers, oldPeers, identities, newcomers, learners, witnesses, priorities], context) => {
    const tail = tailSchema.safeParse({ identities, newcomers, learners, witnesses, priorities })
    if (tail.success) return { peers, oldPeers, ...tail.data }
    context.addIssue('what stands behind the peers is not what it should be')
    return z.NEVER
  })

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const { peers, oldPeers, identities, newcomers, learners = [], witnesses = [], priorities } = configuration
  const pairs = (numbers: Readonly<Record<PeerId, number>> = {}) => Object.entries(numbers)
  const tail = [pairs(identities), pairs(newcomers), learners, witnesses, pairs(priorities)]
  const used = tail.findLastIndex((list) => list.length > 0) + 1
  return encodeValue([VERSION, peers, oldPeers, ...tail.slice(0, used)])
}

/** Null when the payload is not a configuration. */
export function decodeConfiguration(entry: LogEntry): ConfigurationEntry | null {
  const decoded = decodeValue(entry.data)
  if (!decoded.ok) return null
  const parsed = configurationSchema.safeParse(decoded.value)
  if (!parsed.success) return null
  return { id: { index: entry.index, term: entry.term }, ...configurationFrom(parsed.data) }
}

/** The configuration in an entry of the own log. @throws StorageError CORRUPT when it cannot be read. */
export function requireConfiguration(entry: LogEntry): ConfigurationEntry {
  const configuration = decodeConfiguration(entry)
  if (configuration !== null) return configuration
  throw new StorageError('CORRUPT', `The configuration entry at index ${entry.index} cannot be read.`)
}

/** The lists as they stand in entries and messages. */
export interface ConfigurationLists {
  readonly peers: readonly PeerId[]
  readonly oldPeers: readonly PeerId[]
  readonly identities: readonly (readonly [PeerId, number])[]
  readonly newcomers: readonly (readonly [PeerId, number])[]
  readonly learners: readonly PeerId[]
  readonly witnesses: readonly PeerId[]
  readonly priorities: readonly (readonly [PeerId, number])[]
}

/** What is empty is left out, as it was before it was encoded. */
export function configurationFrom(lists: ConfigurationLists): Configuration {
  const { peers, oldPeers, identities, newcomers, learners, witnesses, priorities } = lists
  return {
    peers,
    oldPeers,
    ...(identities.length === 0 ? {} : { identities: Object.fromEntries(identities) }),
    ...(newcomers.length === 0 ? {} : { newcomers: Object.fromEntries(newcomers) }),
    ...(learners.length === 0 ? {} : { learners }),
    ...(witnesses.length === 0 ? {} : { witnesses }),
    ...(priorities.length === 0 ? {} : { priorities: Object.fromEntries(priorities) }),
  }
}
