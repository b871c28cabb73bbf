// The inspector of a process that carries members itself: no bus, no command line.

import type { Host, RaftNode } from '../api.ts'
import type { GroupModel } from '../client/watch/group-model.ts'
import { QuorateError } from '../errors.ts'
import { systemClock } from '../runtime/clock.ts'
import { feedOf } from '../services/member-port.ts'
import { type Bridge, openBridge } from './bridge.ts'
import { LocalWatch } from './local-watch.ts'
import { StatelyStream } from './stately-stream.ts'

export interface InspectorOptions {
  /** All members that these carry, whenever they come. */
  readonly hosts?: readonly Host[]
  /** Single members. */
  readonly nodes?: readonly RaftNode[]
  /** Of the page. Default 0: any that is free. Null: there is no page, only the models. */
  readonly port?: number | null
  /** Default 127.0.0.1. Whoever can reach another address can watch, with the token of the page alone. */
  readonly listen?: string
  /** Each event one by one. Default false: events are counted. */
  readonly everything?: boolean
  /** Another page than the hosted inspector of Stately. */
  readonly ui?: string
}

export interface Inspector extends AsyncDisposable {
  /** By group: what is known of its members in this process. */
  readonly models: ReadonlyMap<string, GroupModel>
  /** The page with the Stately inspector; null: there is none. */
  readonly url: string | null
  /** The messages of `@statelyai/inspect` alone, for other tools; null: there is no page. */
  readonly socketUrl: string | null
  /** Members are let go of, and viewers cut off. Repeating it is harmless. */
  close(): Promise<void>
}

/**
 * @example
 * await using inspector = await openInspector({ hosts: [host] })
 * console.log(`Open ${inspector.url}`)
 *
 * @throws QuorateError INVALID for neither hosts nor nodes, or a node that is none of ours; CONFLICT for a port in use.
 */
export async function openInspector(options: InspectorOptions): Promise<Inspector> {
  const { hosts = [], nodes = [], port = 0, everything = false, listen, ui } = options
  if (hosts.length + nodes.length === 0)
    throw new QuorateError('INVALID', 'Option hosts or nodes: there is nothing to watch.')
  const stranger = nodes.find((node) => feedOf(node) === null)
  if (stranger !== undefined)
    throw new QuorateError(
      'INVALID',
      `Option nodes: node ${stranger.id} was not started by a host of this package.`,
    )
  const stream = new StatelyStream(() => systemClock.wallMs())
  const bridge: Bridge | null = port === null ? null : await openBridge({ stream, port, listen, ui })
  const found = (model: GroupModel): void => stream.add(model)
  const present = (): readonly RaftNode[] => [...nodes, ...hosts.flatMap((host) => host.nodes())]
  const watch = new LocalWatch({ nodes: present, everything, clock: systemClock, found })
  const close = async (): Promise<void> => {
    watch.close()
    stream.close()
    await bridge?.close()
  }
  return {
    models: watch.models,
    url: bridge?.url ?? null,
    socketUrl: bridge?.socketUrl ?? null,
    close,
    [Symbol.asyncDispose]: close,
  }
}
