// What a snapshot of a replicated machine holds: which machine it is of, the time of the log, and all instances.

import { z } from 'zod'
import { decodeValue, encodeValue } from '../transport/wire/codec.ts'
import type { Declaration } from './commands.ts'
import { bytesOf, type Instances } from './instances.ts'
import { packFrames, unpackFrames } from './snapshot-file.ts'

export const SNAPSHOT_FILE = 'instances'
const FORMAT = 1

const headingSchema = z.object({
  format: z.literal(FORMAT),
  declared: z.object({ machine: z.string(), version: z.string(), definition: z.string() }).nullable(),
  timeMs: z.number(),
})

/** Captures references; they are packed when the function that comes back is called. */
export function saveInstances(
  declared: Declaration | null,
  timeMs: number,
  instances: Instances,
): () => Iterable<Uint8Array> {
  const captured = [...instances.residents()]
  const heading = encodeValue({ format: FORMAT, declared, timeMs })
  function* frames(): Generator<Uint8Array, void> {
    const text = new TextEncoder()
    yield heading
    for (const resident of captured) {
      yield text.encode(resident.key)
      yield bytesOf(resident)
    }
  }
  return () => packFrames(frames())
}

/** @throws Error in a sentence when it is no such snapshot. */
export async function loadInstances(
  pieces: AsyncIterable<Uint8Array>,
  begin: (declared: Declaration | null) => Instances,
): Promise<{ declared: Declaration | null; timeMs: number; instances: Instances }> {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let loaded: { declared: Declaration | null; timeMs: number; instances: Instances } | null = null
  let key: string | null = null
  for await (const frame of unpackFrames(pieces)) {
    if (loaded === null) {
      const { declared, timeMs } = headingOf(frame)
      loaded = { declared, timeMs, instances: begin(declared) }
    } else if (key === null) key = text.decode(frame)
    else {
      loaded.instances.load(key, frame)
      key = null
    }
  }
  if (loaded === null || key !== null) throw new Error('the snapshot of the instances is not whole')
  return loaded
}

function headingOf(frame: Uint8Array): z.output<typeof headingSchema> {
  const value = decodeValue(frame)
  const parsed = headingSchema.safeParse(value.ok ? value.value : null)
  if (!parsed.success)
    throw new Error('this is no snapshot of a replicated machine that this version can read')
  return parsed.data
}
