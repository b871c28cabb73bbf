// The built page: three files, read when they are asked for first and kept.

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { QuorateError } from '../../errors.ts'

export interface Asset {
  readonly type: string
  readonly body: Buffer
}

const FILES: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  '': { file: 'index.html', type: 'text/html; charset=utf-8' },
  'page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
  'page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
}
/** Beside the compiled server; and for a server that runs from its sources. */
const PLACES = ['../browser/', '../../../dist/src/page/browser/']

const kept = new Map<string, Promise<Asset>>()

/** @returns undefined when the page has no such file. */
export function assetAt(path: string): Promise<Asset> | undefined {
  const known = Object.hasOwn(FILES, path) ? FILES[path] : undefined
  if (known === undefined) return undefined
  const asset = kept.get(path) ?? read(known)
  kept.set(path, asset)
  return asset
}

async function read({ file, type }: { readonly file: string; readonly type: string }): Promise<Asset> {
  const place = PLACES.map((each) => new URL(each, import.meta.url)).find((each) =>
    existsSync(new URL('page.js', each)),
  )
  if (place === undefined)
    throw new QuorateError('UNSUPPORTED', 'The page has not been built: run npm run build, then ask again.')
  return { type, body: await readFile(new URL(file, place)) }
}
