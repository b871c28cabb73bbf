// From requests on the bus to events of the chart.

import type { Reply } from '../../transport/rpc/peer-rpc.ts'
import type { InboundRequest, RpcMethod } from '../../transport/wire/messages/registry.ts'
import type { RpcEvent } from './node.events.ts'

export function rpcEvent<M extends RpcMethod>(
  request: InboundRequest<M>,
  reply: Reply,
  receivedMs: number,
): RpcEvent<M> {
  return { ...request, type: `rpc.${request.method}`, reply, receivedMs }
}
