import { expect, test } from 'vitest'
import { MemoryBus } from '../../../src/transport/memory/memory-bus.ts'
import { createPeerRpc } from '../../../src/transport/rpc/rpc-endpoint.ts'
import { FRAME_RESERVE_BYTES, MAX_APPEND_BYTES } from '../../../src/transport/wire/entries.ts'
import { ignoreDrops } from '../support/ignore-drops.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { MemoryLogger } from '../support/memory-logger.ts'

test.each([
  [0, 0],
  [FRAME_RESERVE_BYTES - 1, 0],
  [FRAME_RESERVE_BYTES, 0],
  [FRAME_RESERVE_BYTES + 1, 1],
  [1024 * 1024, 1024 * 1024 - FRAME_RESERVE_BYTES],
  [MAX_APPEND_BYTES - 1, MAX_APPEND_BYTES - 1 - FRAME_RESERVE_BYTES],
  [MAX_APPEND_BYTES, MAX_APPEND_BYTES - FRAME_RESERVE_BYTES],
  [MAX_APPEND_BYTES + 1, MAX_APPEND_BYTES - FRAME_RESERVE_BYTES],
])('on a bus that takes %i bytes, entries have %i', (maxPayloadBytes, room) => {
  const clock = new ManualClock()
  const transport = new MemoryBus({ clock, maxPayloadBytes }).connect('n1')
  const world = { clock, logger: new MemoryLogger(), drops: ignoreDrops }
  expect(createPeerRpc({ transport, prefix: 'quorate', id: 'n1', ...world }).maxFrameBytes).toBe(room)
})
