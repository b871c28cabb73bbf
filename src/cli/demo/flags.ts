// What `quorate demo` can be told.

export interface DemoFlags {
  readonly nodes: number
  readonly writes: number
  readonly clients: number
  readonly group: string
  readonly data?: string
  readonly nats?: string
  readonly inspect?: boolean
  readonly json?: boolean
}
