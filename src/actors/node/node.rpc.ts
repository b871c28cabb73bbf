// From requests on the bus to events of the chart.

import type { Reply } from '../../transport/rpc/peer-rpc.ts'
import type { InboundRequest, RpcMethod } from '../../transport/wire/messages/registry.ts'
import type { RpcEvent } from './node.events.ts'

/** Made once: a name that is put together anew at each message is looked up anew, too. */
const TYPES: { readonly [M in RpcMethod]: `rpc.${M}` } = {
  pre_vote: 'rpc.pre_vote',
  request_vote: 'rpc.request_vote',
  append_entries: 'rpc.append_entries',
  heartbeat: 'rpc.heartbeat',
  timeout_now: 'rpc.timeout_now',
  read_index: 'rpc.read_index',
  install_snapshot: 'rpc.install_snapshot',
  get_file: 'rpc.get_file',
}

export function rpcEvent<M extends RpcMethod>(
  request: InboundRequest<M>,
  reply: Reply,
  receivedMs: number,
): RpcEvent<M> {
  const { method, from, message } = request
  return { type: TYPES[method], method, from, message, reply, receivedMs }
}
