// The bus as a port: subjects, payloads, replies. NATS is one implementation, the in-process bus another, the
// simulator a third. It promises no more than NATS does: a message that arrives is whole, messages of one publisher
// to one subscription arrive in order while the connection lives, and everything may be lost.

export interface InboundMessage {
  readonly subject: string
  /** A view that is only valid during the handler's call. Copy what you keep. */
  readonly payload: Uint8Array
  /** Where an answer is wanted; undefined for a notification. */
  readonly replyTo: string | undefined
  /** Set on a reply made by the bus itself: nobody listens on the subject that was asked. The payload is empty. */
  readonly noResponders: boolean
}

export type MessageHandler = (message: InboundMessage) => void

export interface SubscribeOptions {
  /** Members of one queue share the messages: each goes to one of them. */
  readonly queue?: string
}

export interface Subscription {
  unsubscribe(): void
}

/** `connected` false: whatever is published now is lost, so `publish` refuses it at once. */
export interface TransportStatus {
  readonly connected: boolean
  /** Largest payload that the bus takes, in bytes. May change at a reconnect. */
  readonly maxPayloadBytes: number
  /** One sentence for a person: what happened, and with which server. */
  readonly detail: string
}

export interface Transport {
  status(): TransportStatus
  onStatus(handler: (status: TransportStatus) => void): () => void
  /**
   * Hands a message to the bus. Never throws and never queues: false means that it certainly did not leave (bus
   * down, payload too large, closed); true promises nothing. The payload may be changed by the caller afterwards.
   */
  publish(subject: string, payload: Uint8Array, replyTo?: string): boolean
  /** `subject` may hold the NATS wildcards `*` and a trailing `>`. */
  subscribe(subject: string, handler: MessageHandler, options?: SubscribeOptions): Subscription
  /** A subject prefix below which this transport alone may receive, for example `_INBOX_n1.x7Gq`. Unique per process life. */
  readonly inbox: string
  /** Ends subscriptions made here, and the connection unless it was handed in. Repeating it is harmless. */
  close(): Promise<void>
}
