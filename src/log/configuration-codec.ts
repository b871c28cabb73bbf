// A configuration as the payload of a CONFIGURATION entry: a CBOR tuple [1, peers, oldPeers, identities, newcomers], the
// last two as lists of [member, identity], left out from the end when they are empty.

import { z } from 'zod'
import { memberNameSchema } from '../options.ts'
import type { Configuration, ConfigurationEntry, LogEntry } from '../rules/types.ts'
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
/** What later minor versions add stands at the end, and is passed over. */
const configurationSchema = z
  .tuple([z.literal(VERSION), peersSchema, peersSchema], z.unknown())
  .transform(([, peers, oldPeers, identities, newcomers], context) => {
    const known = identitiesSchema.safeParse(identities)
    const pending = identitiesSchema.safeParse(newcomers)
    if (known.success && pending.success) return { peers, oldPeers, known: known.data, pending: pending.data }
    context.addIssue('identities must be lists of a member and a whole number')
    return z.NEVER
  })

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const { peers, oldPeers } = configuration
  const identities = Object.entries(configuration.identities ?? {})
  const newcomers = Object.entries(configuration.newcomers ?? {})
  const tail = newcomers.length > 0 ? [identities, newcomers] : identities.length > 0 ? [identities] : []
  return encodeValue([VERSION, peers, oldPeers, ...tail])
}

/** Null when the payload is not a configuration. */
export function decodeConfiguration(entry: LogEntry): ConfigurationEntry | null {
  const decoded = decodeValue(entry.data)
  if (!decoded.ok) return null
  const parsed = configurationSchema.safeParse(decoded.value)
  if (!parsed.success) return null
  const { peers, oldPeers, known, pending } = parsed.data
  return {
    ...{ peers, oldPeers, id: { index: entry.index, term: entry.term } },
    ...(known.length === 0 ? {} : { identities: Object.fromEntries(known) }),
    ...(pending.length === 0 ? {} : { newcomers: Object.fromEntries(pending) }),
  }
}
