// What `quorate demo` can be told.

export interface DemoFlags {
  readonly nodes: number
  readonly writes: number
  readonly clients: number
  readonly group: string
  readonly data?: string
  readonly nats?: string
  readonly inspect?: boolean
  readonly watch?: boolean
  /** Of the page. */
  readonly port: number
  readonly json?: boolean
}
