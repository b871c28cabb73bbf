// From requests on the bus to events of the chart.

import type { Reply } from '../../transport/rpc/peer-rpc.ts'
import type { InboundRequest } from '../../transport/wire/messages.ts'
import type { NodeCore } from './node.core.ts'
import type { RpcEvent } from './node.events.ts'

export function respond(request: InboundRequest, reply: Reply, receivedMs: number): RpcEvent {
  switch (request.method) {
    case 'pre_vote':
      return { ...request, type: 'rpc.pre_vote', reply, receivedMs }
    case 'request_vote':
      return { ...request, type: 'rpc.request_vote', reply, receivedMs }
    case 'append_entries':
      return { ...request, type: 'rpc.append_entries', reply, receivedMs }
    case 'heartbeat':
      return { ...request, type: 'rpc.heartbeat', reply, receivedMs }
    case 'timeout_now':
      return { ...request, type: 'rpc.timeout_now', reply, receivedMs }
    case 'read_index':
      return { ...request, type: 'rpc.read_index', reply, receivedMs }
  }
}

/** A node that is not active takes part in nothing (braft: EINVAL). */
export function refuseInactive(core: NodeCore, event: RpcEvent): void {
  event.reply({
    ok: false,
    error: { code: 'EINVAL', message: `Member ${core.id} is not active (${core.role}).` },
  })
}
