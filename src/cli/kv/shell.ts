// Operations as JSON lines: one in, one out, many in flight. Answers come in the order in which they are known.

import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { QuorateError } from '../../errors.ts'
import { describeIssues } from '../../options.ts'
import { messageOf } from '../../runtime/errors.ts'
import { parseOperation, perform, tellFailure, watchSchema } from './operation.ts'
import { follow } from './watch.ts'
import type { KvClient } from './writer.ts'

/** More lines are not read until some are answered. */
const MAX_IN_FLIGHT = 4096
const MAX_LINE_LENGTH = 8 * 1024 * 1024

/** Resolves when the input has ended and every line is answered. */
export async function runShell(client: KvClient, input: Readable, output: Writable): Promise<void> {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  let inFlight = 0
  const leaving = new AbortController()
  const tell = (line: object): void => {
    output.write(`${JSON.stringify(line)}\n`)
  }
  await new Promise<void>((resolve, reject) => {
    let ended = false
    const settle = (answer: object): void => {
      tell(answer)
      inFlight -= 1
      if (inFlight < MAX_IN_FLIGHT && !ended) lines.resume()
      if (ended && inFlight === 0) resolve()
    }
    lines.on('line', (line) => {
      if (line.trim() === '') return
      inFlight += 1
      if (inFlight >= MAX_IN_FLIGHT) lines.pause()
      void answerLine(client, line, { tell, signal: leaving.signal }).then(settle).catch(reject)
    })
    lines.on('close', () => {
      ended = true
      // What is watched has no end of its own.
      leaving.abort()
      if (inFlight === 0) resolve()
    })
    // Whoever listens is gone: nobody is left to answer.
    output.on('error', reject)
  })
}

interface Watching {
  readonly tell: (line: object) => void
  readonly signal: AbortSignal
}

/** Never rejects. */
async function answerLine(client: KvClient, line: string, watching: Watching): Promise<object> {
  let id: unknown = null
  try {
    const input = parseLine(line)
    id = idOf(input)
    if (isWatch(input)) return { id, ...(await watch(client, input, watching)) }
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

function isWatch(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'op' in input && input.op === 'watch'
}

/** Tells each change on a line of its own; its answer comes when the input has ended. */
async function watch(client: KvClient, input: unknown, { tell, signal }: Watching): Promise<object> {
  const parsed = watchSchema.safeParse(input)
  if (!parsed.success) throw new QuorateError('INVALID', describeIssues('Operation:', parsed.error.issues))
  const { id, prefix, from } = parsed.data
  const changes = follow(client, { prefix, from, signal, onTrouble: () => {} })
  for await (const change of changes) tell({ id: id ?? null, change })
  return { ok: true }
}
