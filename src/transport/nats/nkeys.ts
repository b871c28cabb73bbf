// NKeys of NATS users: a seed that stays with its owner, and a public key that the server is told.

import { createUser, fromPublic, fromSeed } from 'nkeys.js'

export interface UserKey {
  /** `SU…`: whoever has it is the user. */
  readonly seed: string
  /** `U…` */
  readonly publicKey: string
}

/** From the platform's source of chance for secrets. */
export function createUserKey(): UserKey {
  const pair = createUser()
  return { seed: new TextDecoder().decode(pair.getSeed()), publicKey: pair.getPublicKey() }
}

/** Undefined when `seed` is not the seed of a user. */
export function publicKeyOfSeed(seed: string): string | undefined {
  try {
    const key = fromSeed(new TextEncoder().encode(seed)).getPublicKey()
    return isUserPublicKey(key) ? key : undefined
  } catch {
    return undefined
  }
}

/** True for `U…` with a checksum that fits. */
export function isUserPublicKey(text: string): boolean {
  try {
    return text.startsWith('U') && fromPublic(text).getPublicKey() === text
  } catch {
    return false
  }
}
