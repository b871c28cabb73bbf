// Watching members of this process in two ways: what happens in words and as a page, or each event of XState as it is.
import { openHost, type StateMachine } from 'quorate'
import { openInspector } from 'quorate/inspect'

const counter: StateMachine<number, number> = { apply: (add) => add }

/** Starts a member, and answers how it came to lead: by the inspector's model, and by XState's own events. */
export async function watchStart(
  directory: string,
): Promise<{ roles: string[]; states: string[]; page: string }> {
  const [roles, states]: [string[], string[]] = [[], []]
  await using host = await openHost({ id: 'n1', dataDir: directory })
  await host.startNode({
    group: 'counter',
    peers: ['n1'],
    stateMachine: counter,
    // The raw way: all of XState's inspection events, in the node's turn. Select at once, and keep it short.
    inspect: (event) => {
      if (event.type !== '@xstate.snapshot' || event.actorRef.sessionId !== event.rootId) return
      if ('value' in event.snapshot) states.push(JSON.stringify(event.snapshot.value))
    },
  })
  await using inspector = await openInspector({ hosts: [host] })
  const model = inspector.models.get('counter')
  const leads = new Promise<void>((resolve) => {
    if (model?.leader === 'n1') resolve()
    model?.on((change) => {
      if (change.type !== 'item' || change.item.kind !== 'role') return
      roles.push(`${change.item.from} → ${change.item.to}: ${change.item.reason}`)
      if (change.item.to === 'leader') resolve()
    })
  })
  await leads
  return { roles, states, page: inspector.url ?? '' }
}
