// What tests of membership look at: configurations in the log, heartbeats that are answered, what somebody is told.

import { decodeConfiguration } from '../../../src/log/configuration-codec.ts'
import { EntryType } from '../../../src/rules/types.ts'
import type { NodeRig } from './node-rig.ts'

/** Every configuration in the log after the first entry, as `old>new`. */
export function written(node: NodeRig): string[] {
  return node.disk.entries
    .filter(({ type }) => type === EntryType.CONFIGURATION)
    .map((entry) => decodeConfiguration(entry))
    .map((it) => (it === null ? '?' : `${it.oldPeers.join('')}>${it.peers.join('')}`))
    .slice(1)
}

/** Answers every open heartbeat of these. */
export function pulse(node: NodeRig, ...peers: string[]): void {
  const { term } = node.status
  for (const call of node.rpc.calls('heartbeat'))
    if (call.isOpen && peers.includes(call.to)) call.answer({ term, success: true, lastLogIndex: 0 })
  node.settle()
}

/** How much this one is told in that time. */
export const spoken = (node: NodeRig, peer: string, ms: number): number => {
  const told = () => node.rpc.log.filter((line) => line.endsWith(`>${peer}`)).length
  const before = told()
  node.advance(ms)
  return told() - before
}
