// This package's version, from its manifest.

import { createRequire } from 'node:module'
import { z } from 'zod'

const manifestSchema = z.object({ version: z.string() })

export function packageVersion(): string {
  // By its own name, so that it is found from the sources as well as from what is built.
  const manifest: unknown = createRequire(import.meta.url)('quorate/package.json')
  const parsed = manifestSchema.safeParse(manifest)
  return parsed.success ? parsed.data.version : '0.0.0'
}
