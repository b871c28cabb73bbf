// Reading a recording as the page does: frame by frame into the model of a group.

import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import { GroupModel } from '../../../src/client/watch/group-model.ts'
import type { PageMessage, ReplayFrame } from '../../../src/page/page-protocol.ts'
import { parseBatch, pictureSchema } from '../../../src/protocol/feed-protocol.ts'

export type MessageOf<K extends PageMessage['kind']> = Extract<PageMessage, { readonly kind: K }>

/** All frames but the first line, each checked by itself. */
export function framesOf(lines: readonly string[]): readonly ReplayFrame[] {
  let lastMs = 0
  return lines.slice(1).map((line) => {
    expect(line.startsWith('{"atMs":')).toBe(true)
    expect(line.endsWith('}\n')).toBe(true)
    const frame: ReplayFrame = JSON.parse(line)
    expect(frame.atMs).toBeGreaterThanOrEqual(lastMs)
    lastMs = frame.atMs
    const { message } = frame
    // Nothing that the feed's own schemas would refuse or leave out.
    if (message.kind === 'picture')
      expect(isDeepStrictEqual(pictureSchema.parse(message.picture), message.picture), line).toBe(true)
    if (message.kind === 'batch') {
      const parsed = parseBatch(Buffer.from(JSON.stringify(message.batch)))
      expect(isDeepStrictEqual(parsed, message.batch), line).toBe(true)
    }
    return frame
  })
}

export function messagesOf<K extends PageMessage['kind']>(
  frames: readonly ReplayFrame[],
  kind: K,
): readonly MessageOf<K>[] {
  return frames
    .map(({ message }) => message)
    .filter((message): message is MessageOf<K> => message.kind === kind)
}

export class Replay {
  readonly model: GroupModel
  readonly restarts = new Map<string, number>()
  stage: MessageOf<'stage'>['members'] = []
  #nowMs = 0

  constructor() {
    this.model = new GroupModel('sim', () => this.#nowMs)
  }

  show(frames: readonly ReplayFrame[]): void {
    for (const { atMs, message } of frames) {
      this.#nowMs = atMs
      this.#take(message)
    }
  }

  #take(message: PageMessage): void {
    const { model } = this
    if (message.kind === 'charts') model.learn(message.charts)
    if (message.kind === 'stage') this.stage = message.members
    if (message.kind === 'picture') {
      model.show(message.picture)
      this.restarts.set(message.picture.node, message.restarts)
    }
    // Nothing is missing, and everything is of the life that was shown before.
    if (message.kind === 'batch') expect(model.hear(message.batch)?.kind).toBe('fresh')
    if (message.kind === 'member') {
      const member = model.expect(message.id)
      if (member !== undefined) model.setState(member, message.state, message.problem)
    }
  }
}
