// A recorded simulation as a page is made of it: a file with a frame in each line, checked before it is shown.

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { QuorateError } from '../../errors.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { PageSource } from './source.ts'

export const REPLAY_VERSION = 1

/** The first line of such a file. */
export const replayHeadSchema = z.object({
  quorate: z.literal('replay'),
  v: z.literal(REPLAY_VERSION),
  /** What it is a recording of, as a sentence. */
  title: z.string().max(200),
})

const MAX_HEAD_BYTES = 4096
const MAX_FILE_BYTES = 512 * 1024 * 1024

/** @throws QuorateError INVALID: there is no such file, or it is none that the simulator wrote. */
export async function replaySource(file: string): Promise<PageSource> {
  const title = await titleOf(file)
  return { kind: 'replay', group: null, title, keeps: false, replay: () => framesOf(file) }
}

async function titleOf(file: string): Promise<string> {
  const handle = await open(file).catch((error: unknown) => {
    throw new QuorateError('INVALID', `${file} cannot be read: ${messageOf(error)}.`, { cause: error })
  })
  try {
    const { size } = await handle.stat()
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_HEAD_BYTES), 0, MAX_HEAD_BYTES, 0)
    const title = headOf(buffer.subarray(0, bytesRead).toString('utf8').split('\n', 1)[0] ?? '')?.title
    if (title === undefined)
      throw new QuorateError(
        'INVALID',
        `${file} is no recorded simulation: npm run sim -- --seed N --trace ${file} writes one.`,
      )
    if (size > MAX_FILE_BYTES)
      throw new QuorateError(
        'TOO_LARGE',
        `${file} has ${size} bytes; at most ${MAX_FILE_BYTES} can be shown.`,
      )
    return title
  } finally {
    await handle.close()
  }
}

function headOf(line: string): z.output<typeof replayHeadSchema> | undefined {
  try {
    return replayHeadSchema.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}

async function* framesOf(file: string): AsyncIterable<string> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
  let isFirst = true
  for await (const line of lines) {
    if (!isFirst && line.startsWith('{"atMs":')) yield line
    isFirst = false
  }
}
