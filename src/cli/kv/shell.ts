// Operations as JSON lines: one in, one out, many in flight. Answers come in the order in which they are known.

import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { QuorateError } from '../../errors.ts'
import { messageOf } from '../../runtime/errors.ts'
import { parseOperation, perform, tellFailure } from './operation.ts'
import type { KvClient } from './writer.ts'

/** More lines are not read until some are answered. */
const MAX_IN_FLIGHT = 4096
const MAX_LINE_LENGTH = 8 * 1024 * 1024

/** Resolves when the input has ended and every line is answered. */
export async function runShell(client: KvClient, input: Readable, output: Writable): Promise<void> {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  let inFlight = 0
  await new Promise<void>((resolve, reject) => {
    let ended = false
    const settle = (answer: object): void => {
      output.write(`${JSON.stringify(answer)}\n`)
      inFlight -= 1
      if (inFlight < MAX_IN_FLIGHT && !ended) lines.resume()
      if (ended && inFlight === 0) resolve()
    }
    lines.on('line', (line) => {
      if (line.trim() === '') return
      inFlight += 1
      if (inFlight >= MAX_IN_FLIGHT) lines.pause()
      void answerLine(client, line).then(settle).catch(reject)
    })
    lines.on('close', () => {
      ended = true
      if (inFlight === 0) resolve()
    })
    // Whoever listens is gone: nobody is left to answer.
    output.on('error', reject)
  })
}

/** Never rejects. */
async function answerLine(client: KvClient, line: string): Promise<object> {
  let id: unknown = null
  try {
    const input = parseLine(line)
    id = idOf(input)
    return { id, ...(await perform(client, parseOperation(input))) }
  } catch (error) {
    return { id, ...tellFailure(error) }
  }
}

function parseLine(line: string): unknown {
  if (line.length > MAX_LINE_LENGTH) throw new QuorateError('TOO_LARGE', 'The line is longer than 8 MiB.')
  try {
    const value: unknown = JSON.parse(line)
    return value
  } catch (error) {
    const why = messageOf(error)
    throw new QuorateError('INVALID', `The line is not JSON: ${why}.`)
  }
}

function idOf(input: unknown): unknown {
  return typeof input === 'object' && input !== null && 'id' in input ? input.id : null
}
