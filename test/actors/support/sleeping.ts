// Groups that fall asleep, by what the other processes say: for tests of one member.

import type { Sleep, SleepWish } from '../../../src/transport/rpc/peer-rpc.ts'
import { type NodeRig, type RigOptions, rig } from './node-rig.ts'

/** Leads a group of two in a process that carries other groups, too. */
export function sharing(options: RigOptions = {}): NodeRig {
  const node = rig({ peers: ['a', 'b'], ...options })
  node.rpc.sharesProcess = true
  return node.boot().establish()
}

/** The follower answers each heartbeat of this time as soon as it comes. */
export function beatOn(node: NodeRig, ms: number, peer = 'b'): void {
  for (let passed = 0; passed < ms; passed += 20) {
    node.advance(20)
    for (const call of node.rpc.calls('heartbeat')) {
      if (!call.isOpen || call.to !== peer) continue
      const { term, prevLogIndex } = call.request
      call.answer({ term, success: true, lastLogIndex: prevLogIndex })
    }
    node.settle()
  }
}

/** Idles until the follower is asked to sleep. */
export function untilAsked(node: NodeRig): SleepWish {
  const before = node.rpc.wishes.length
  for (let i = 0; i < 50 && node.rpc.wishes.length === before; i++) beatOn(node, 100)
  const wish = node.rpc.wishes.at(-1)
  if (wish === undefined || node.rpc.wishes.length === before) throw new Error('Nobody was asked to sleep.')
  return wish
}

/** Idles until the follower sleeps. */
export function untilAsleep(node: NodeRig): SleepWish {
  const wish = untilAsked(node)
  wish.done(node.rpc.vouched)
  node.settle()
  return wish
}

/** Asks a follower to sleep where its leader is. Null: it does not. */
export function askToSleep(node: NodeRig, leader: string, term: number, lastIndex: number): Sleep | null {
  let agreed: Sleep | null = null
  const agree = (sleep: Sleep): void => {
    agreed = sleep
  }
  const { vouched } = node.rpc
  node.handle.core.send({ type: 'sleep', ask: { from: leader, term, lastIndex, vouched, agree } })
  node.settle()
  return agreed
}

/** The other process is heard, and vouches for all that sleep. */
export function vouch(node: NodeRig): void {
  node.rpc.vouched.atMs = node.clock.nowMs()
}
