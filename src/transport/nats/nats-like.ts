// What is used of a NATS connection, as a shape: the connection of `nats` v2 fits, and so does that of
// `@nats-io/transport-node` (v3). Where the two differ, they are read here.

export interface NatsMessageLike {
  readonly subject: string
  /** Empty or undefined when no answer is wanted. */
  readonly reply?: string | undefined
  /** A view on a chunk of the socket. */
  readonly data: Uint8Array
  readonly headers?: { readonly code: number } | undefined
}

export interface NatsSubscriptionLike {
  unsubscribe(): void
}

export interface NatsSubscribeOptionsLike {
  queue?: string
  callback: (error: Error | null, message: NatsMessageLike) => void
}

/** v2 says `data` and `permissionContext`; v3 says `server` and `error`. */
export interface NatsStatusLike {
  readonly type: string
  readonly data?: unknown
  readonly server?: unknown
  readonly error?: unknown
  readonly permissionContext?: unknown
}

export interface NatsLike {
  /** Undefined while there is no connection. */
  readonly info?: { readonly max_payload: number } | undefined
  publish(subject: string, payload: Uint8Array, options?: { reply?: string }): void
  subscribe(subject: string, options: NatsSubscribeOptionsLike): NatsSubscriptionLike
  status(): AsyncIterable<NatsStatusLike>
  getServer(): string
  isClosed(): boolean
  /** Resolves when the connection is over for good, with the error if one was the reason. */
  closed(): Promise<unknown>
  flush(): Promise<void>
  close(): Promise<void>
}

const NO_RESPONDERS = 503

/** The server's own reply when nobody listens: empty, with a status in its header. */
export function isNoResponders(message: NatsMessageLike): boolean {
  return message.data.length === 0 && message.headers?.code === NO_RESPONDERS
}

export interface PermissionViolation {
  /** `publish` or `subscription`. */
  readonly operation: string
  readonly subject: string
}

/** What the server forbade, when that is what `status` or `error` is about. */
export function permissionViolationOf(source: unknown): PermissionViolation | undefined {
  if (typeof source !== 'object' || source === null) return undefined
  if ('permissionContext' in source && source.permissionContext !== undefined) {
    return permissionViolationOf(source.permissionContext)
  }
  if ('error' in source) return permissionViolationOf(source.error)
  if (!('operation' in source) || !('subject' in source)) return undefined
  const { operation, subject } = source
  return typeof operation === 'string' && typeof subject === 'string' ? { operation, subject } : undefined
}

/** The words that come with a status, for a log line. */
export function statusText(status: NatsStatusLike): string {
  const { error, server, data } = status
  if (error instanceof Error) return error.message
  if (typeof server === 'string') return server
  if (typeof data === 'string' || typeof data === 'number') return String(data)
  return data === undefined ? '' : JSON.stringify(data)
}

/** Ends an iteration over `status()` that may be waiting for a status that never comes. */
export function stopStatus(iterable: AsyncIterable<NatsStatusLike>): void {
  if ('stop' in iterable && typeof iterable.stop === 'function') iterable.stop()
}
