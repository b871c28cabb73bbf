// A directory of NKeys: `NAME.nk` is the seed of a user, `NAME.pub` its public key. Seeds belong to the hosts that use
// them; whoever writes the server's configuration needs no more than the public keys.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { QuorateError } from '../../errors.ts'
import { messageOf } from '../../runtime/errors.ts'
import { createUserKey, isUserPublicKey, publicKeyOfSeed } from '../../transport/nats/nkeys.ts'

/**
 * The public key of each name.
 * @throws QuorateError INVALID for a name without a key, or a file that is no key.
 */
export async function readKeys(
  directory: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const keys = new Map<string, string>()
  for (const name of names) {
    const key = await readKey(directory, name)
    if (key === undefined) {
      const text = `${directory} has no key for ${name}: neither ${name}.pub nor ${name}.nk is there.`
      throw new QuorateError('INVALID', `${text} --generate-keys makes one.`)
    }
    keys.set(name, key)
  }
  return keys
}

/**
 * Makes keys for those who have none, readable by their owner only. What is there stays as it is.
 * @returns the names that got one.
 */
export async function generateKeys(directory: string, names: readonly string[]): Promise<readonly string[]> {
  const made: string[] = []
  await writing(directory, () => mkdir(directory, { recursive: true, mode: 0o700 }))
  for (const name of names) {
    if ((await readKey(directory, name)) !== undefined) continue
    const { seed, publicKey } = createUserKey()
    // `wx`: whoever came first stays.
    await writing(directory, async () => {
      await writeFile(join(directory, `${name}.nk`), `${seed}\n`, { mode: 0o600, flag: 'wx' })
      await writeFile(join(directory, `${name}.pub`), `${publicKey}\n`, { flag: 'wx' })
    })
    made.push(name)
  }
  return made
}

async function readKey(directory: string, name: string): Promise<string | undefined> {
  const [seedFile, publicFile] = [join(directory, `${name}.nk`), join(directory, `${name}.pub`)]
  const [seed, told] = [await readIfThere(seedFile), await readIfThere(publicFile)]
  const own = seed === undefined ? undefined : publicKeyOfSeed(seed)
  if (seed !== undefined && own === undefined)
    throw new QuorateError('INVALID', `${seedFile} is not the seed of a user: it would begin with SU.`)
  if (told !== undefined && !isUserPublicKey(told))
    throw new QuorateError('INVALID', `${publicFile} is not the public key of a user: it would begin with U.`)
  if (own !== undefined && told !== undefined && own !== told)
    throw new QuorateError(
      'INVALID',
      `${publicFile} is not the public key of ${seedFile}: remove the wrong one.`,
    )
  return own ?? told
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new QuorateError('INVALID', `${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

async function writing(directory: string, write: () => Promise<unknown>): Promise<void> {
  try {
    await write()
  } catch (error) {
    const text = `No key can be written to ${directory}: ${messageOf(error)}`
    throw new QuorateError('INVALID', text, { cause: error })
  }
}
