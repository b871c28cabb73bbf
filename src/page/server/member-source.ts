// The page that a member serves: its group as every viewer on the bus sees it.

import type { Host } from '../../api.ts'
import type { Transport } from '../../transport/transport.ts'
import type { GroupSummary } from '../page-protocol.ts'
import { busSource } from './bus-source.ts'
import type { PageSource } from './source.ts'

export interface MemberSourceOptions {
  readonly transport: Transport
  readonly host: Host
  readonly prefix: string
  readonly group: string
}

/** Nobody is asked for anything unless somebody looks. */
export function memberSource({ transport, host, prefix, group }: MemberSourceOptions): PageSource {
  const groups = async (): Promise<readonly GroupSummary[]> =>
    host.nodes().map((node) => {
      const { term, leader, peers, commitIndex, appliedIndex } = node.status()
      const lag = commitIndex - appliedIndex
      return { group: node.group, members: peers.length, leader, term, commitIndex, lag }
    })
  return { ...busSource({ transport, prefix, group }), groups, keeps: false }
}
