import { createAccount } from 'nkeys.js'
import { describe, expect, test } from 'vitest'
import { createUserKey, isUserPublicKey, publicKeyOfSeed } from '../../../src/transport/nats/nkeys.ts'

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('the key of a user', () => {
  test('is another one each time, and its seed leads to its public key', () => {
    const [one, other] = [createUserKey(), createUserKey()]
    expect(one.seed).toMatch(/^SU[A-Z2-7]{56}$/)
    expect(one.publicKey).toMatch(/^U[A-Z2-7]{55}$/)
    expect(publicKeyOfSeed(one.seed)).toBe(one.publicKey)
    expect(isUserPublicKey(one.publicKey)).toBe(true)
    expect(other.publicKey).not.toBe(one.publicKey)
  })

  test('is none with one letter changed, cut off, or of something else than a user', () => {
    const { seed, publicKey } = createUserKey()
    const changed = (key: string): string => key.slice(0, 20) + (key[20] === 'A' ? 'B' : 'A') + key.slice(21)
    for (const key of [changed(publicKey), publicKey.slice(0, -1), '', seed, createAccount().getPublicKey()])
      expect(isUserPublicKey(key)).toBe(false)
    for (const key of [changed(seed), seed.slice(0, -1), '', publicKey, text(createAccount().getSeed())])
      expect(publicKeyOfSeed(key)).toBeUndefined()
  })
})
