// A node as an actor in somebody's own machine: begins with the state that invokes it, and is closed in order with it.

import type { ActorLogic, ActorScope, EventObject, Snapshot } from 'xstate'
import { QuorateError } from '../errors.ts'
import type { RaftNews, RaftNodeEvent, RaftNodeInput, RaftNodeSnapshot } from './raft-node.events.ts'
import { RaftSession } from './raft-session.ts'

/** Whichever: XState exports no name for it. */
type System = ActorScope<Snapshot<unknown>, EventObject>['system']

/** The type of `raftNode`, so that declarations can speak of it. */
export interface RaftNodeLogic
  extends ActorLogic<RaftNodeSnapshot, RaftNodeEvent, RaftNodeInput, System, RaftNews> {}

type Scope = ActorScope<RaftNodeSnapshot, RaftNodeEvent, System, RaftNews>

/** By the actor: a snapshot is plain, and none of it would survive being stored. */
const sessions = new WeakMap<object, RaftSession>()

/**
 * Actor logic that runs a member of a group for as long as its actor lives. The parent gets `RaftNews`; `apply`, `read`,
 * `snapshot` and `transfer` can be sent to it, at once: what comes before the node has started waits for it. When the actor is
 * stopped, the node hands over, settles what is pending and closes; `host.close()` waits for that, and so does an actor that
 * starts the same group anew. An actor whose node cannot be started fails: `onError`. One whose node was closed by others is done.
 *
 * @example
 * invoke: { id: 'raft', src: raftNode, input: { host, group: 'counter', peers, stateMachine: new Counter() } },
 * on: { add: { actions: sendTo('raft', ({ self }) => ({ type: 'apply', command: { add: 1 }, reply: self })) } },
 */
export const raftNode: RaftNodeLogic = {
  getInitialSnapshot: (scope, input) => {
    if (input?.host === undefined)
      throw new QuorateError(
        'INVALID',
        'The input of raftNode lacks host: give it what openHost resolves with.',
      )
    sessions.set(scope.self, new RaftSession(input, scope.self))
    return {
      ...{ status: 'active', output: undefined, error: undefined },
      ...{ group: input.group, id: input.host.id, role: 'uninitialized', term: 0, leader: null },
      ...{ lastIndex: 0, commitIndex: 0, appliedIndex: 0, failure: null },
    }
  },
  start: (snapshot, { self }) => {
    if (snapshot.status !== 'active') return
    const session = sessions.get(self)
    if (session !== undefined) return session.start()
    throw new QuorateError(
      'INVALID',
      `Node ${snapshot.id} of ${snapshot.group} is not restored from the snapshot of a machine: enter the state that invokes it anew.`,
    )
  },
  transition: (snapshot, event, scope) => {
    const session = sessions.get(scope.self)
    if (session === undefined || snapshot.status !== 'active') return snapshot
    if (isStop(event)) {
      session.stop()
      return { ...snapshot, status: 'stopped', output: undefined, error: undefined }
    }
    if (event.type === 'raft.look') return look(session, snapshot, scope)
    if (CALLS.has(event.type)) session.ask(event)
    return snapshot
  },
  getPersistedSnapshot: (snapshot) => snapshot,
}

const CALLS: ReadonlySet<string> = new Set(['apply', 'read', 'snapshot', 'transfer'])

/** XState's own, which the types do not show. */
function isStop({ type }: { readonly type: string }): boolean {
  return type === 'xstate.stop'
}

/** Takes over what has happened; the parent hears of it once this actor shows it. */
function look(session: RaftSession, snapshot: RaftNodeSnapshot, scope: Scope): RaftNodeSnapshot {
  const { news, view, ending } = session.take(snapshot)
  for (const told of news) {
    scope.defer(() => scope.emit(told))
    scope.defer(() => session.tellParent(told))
  }
  if (ending === null) return { ...snapshot, ...view }
  session.stop()
  if (ending.error === null)
    return { ...snapshot, ...view, status: 'done', output: undefined, error: undefined }
  return { ...snapshot, ...view, status: 'error', output: undefined, error: ending.error }
}
