// The bank of the example, in the process that starts the members: money moves once for each key, however often it is asked.

/** What a member asks, and hears. */
export interface PaymentRequest {
  readonly key: string
  readonly amount: number
}

export interface PaymentReceipt {
  readonly key: string
  readonly receipt: string
}

export class Bank {
  readonly #receipts = new Map<string, string>()
  moved = 0
  asked = 0

  get keys(): number {
    return this.#receipts.size
  }

  pay({ key, amount }: PaymentRequest): PaymentReceipt {
    this.asked += 1
    const known = this.#receipts.get(key)
    if (known !== undefined) return { key, receipt: known }
    this.moved += amount
    const receipt = `receipt ${this.#receipts.size + 1} for ${amount}`
    this.#receipts.set(key, receipt)
    return { key, receipt }
  }
}
