// A configuration as the payload of a CONFIGURATION entry: a CBOR tuple [1, peers, oldPeers].

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
const configurationSchema = z.tuple([z.literal(VERSION), peersSchema, peersSchema])

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return encodeValue([VERSION, configuration.peers, configuration.oldPeers])
}

/** Null when the payload is not a configuration. */
export function decodeConfiguration(entry: LogEntry): ConfigurationEntry | null {
  const decoded = decodeValue(entry.data)
  if (!decoded.ok) return null
  const parsed = configurationSchema.safeParse(decoded.value)
  if (!parsed.success) return null
  const [, peers, oldPeers] = parsed.data
  return { peers, oldPeers, id: { index: entry.index, term: entry.term } }
}
