// Where one member listens for operators: every verb at its own address, and those of the group where the bus hands them
// to the right one.

import { ADMIN_VERBS, type AdminVerb, GROUP_VERBS } from '../protocol/admin-verbs.ts'
import { groupAdminSubject, LEADER_QUEUE } from '../protocol/subjects.ts'
import { adminSubject } from '../transport/subjects.ts'
import { AdminDesk, type AdminDeskOptions } from './admin-desk.ts'
import { Endpoint, type EndpointOptions } from './endpoint.ts'

export interface AdminEndpointsOptions extends AdminDeskOptions {
  readonly prefix: string
  readonly clock: EndpointOptions['clock']
}

export interface AdminEndpoints {
  /** To be open while this member leads. */
  readonly forLeader: readonly Endpoint[]
  readonly forAll: readonly Endpoint[]
}

export function adminEndpoints(options: AdminEndpointsOptions): AdminEndpoints {
  const { transport, prefix, clock, logger, node } = options
  const { group, id } = node
  const desk = new AdminDesk(options)
  const endpoint = (verb: AdminVerb, at: Pick<EndpointOptions, 'name' | 'subject' | 'queue'>): Endpoint => {
    const each = new Endpoint({
      ...{ ...at, transport, prefix, clock, logger, hearsSenders: true },
      handle: (request) => desk.handle(verb, request, (reason) => each.countError(reason)),
    })
    return each
  }
  return {
    // Whoever waits to be added would answer for the group as well; the leader knows.
    forLeader: GROUP_VERBS.map((verb) =>
      endpoint(verb, {
        ...{ name: `group-${verb}`, subject: groupAdminSubject(prefix, group, verb), queue: LEADER_QUEUE },
      }),
    ),
    forAll: ADMIN_VERBS.map((verb) =>
      endpoint(verb, { name: verb, subject: adminSubject(prefix, group, id, verb) }),
    ),
  }
}
