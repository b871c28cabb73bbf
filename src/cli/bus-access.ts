// Who a command is to the bus, and how its connection is protected: the files that flags name, read and looked at, so
// that a wrong one is said in a sentence and not by a failing handshake.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { QuorateError } from '../errors.ts'
import { messageOf } from '../runtime/errors.ts'
import type { NatsOptions, NatsTlsOptions } from '../transport/nats/connect-nats.ts'
import { publicKeyOfSeed } from '../transport/nats/nkeys.ts'

export interface AccessFlags {
  readonly creds?: string
  readonly nkey?: string
  readonly user?: string
  readonly password?: string
  readonly tlsCa?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

export type Credentials = Pick<NatsOptions, 'creds' | 'nkeySeed' | 'user' | 'pass' | 'tls'>

/** @throws QuorateError INVALID for a file that can't be read, or is not what its flag asks for. */
export async function credentialsOf(flags: AccessFlags, id: string): Promise<Credentials> {
  const { creds, nkey, password, user = password === undefined ? undefined : id } = flags
  const ways = [creds, nkey, user].filter((way) => way !== undefined)
  if (ways.length > 1)
    throw new QuorateError('INVALID', 'Only one of --creds, --nkey and --user (with --password) can be used.')
  const tls = await tlsOf(flags)
  return {
    ...(creds === undefined ? {} : { creds: await readText('The credentials', creds) }),
    ...(nkey === undefined ? {} : { nkeySeed: await readSeed(nkey) }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    ...(tls === undefined ? {} : { tls }),
  }
}

async function readSeed(file: string): Promise<string> {
  const seed = (await readText('The NKey', file)).trim()
  if (publicKeyOfSeed(seed) !== undefined) return seed
  throw new QuorateError('INVALID', `The NKey ${file} is not the seed of a user: it would begin with SU.`)
}

async function tlsOf({ tlsCa, tlsCert, tlsKey }: AccessFlags): Promise<NatsTlsOptions | undefined> {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new QuorateError('INVALID', '--tls-cert and --tls-key go together: one of them is missing.')
  if (tlsCa === undefined && tlsCert === undefined) return undefined
  const ca = tlsCa === undefined ? undefined : await readCertificate('The authority', tlsCa)
  if (tlsCert === undefined || tlsKey === undefined) return ca === undefined ? {} : { ca: ca.pem }
  const own = await readCertificate('The certificate', tlsCert)
  const { pem: key, parsed } = await readPem('The private key', tlsKey, 'a private key', createPrivateKey)
  if (!own.parsed.checkPrivateKey(parsed))
    throw new QuorateError('INVALID', `The private key ${tlsKey} is not the one of ${tlsCert}.`)
  return { ...(ca === undefined ? {} : { ca: ca.pem }), cert: own.pem, key }
}

function readCertificate(what: string, file: string): Promise<Pem<X509Certificate>> {
  return readPem(what, file, 'a certificate', (pem) => new X509Certificate(pem))
}

interface Pem<T extends KeyObject | X509Certificate> {
  readonly pem: string
  readonly parsed: T
}

async function readPem<T extends KeyObject | X509Certificate>(
  what: string,
  file: string,
  kind: string,
  parse: (pem: string) => T,
): Promise<Pem<T>> {
  const pem = await readText(what, file)
  try {
    return { pem, parsed: parse(pem) }
  } catch (error) {
    throw new QuorateError('INVALID', `${what} ${file} is not ${kind} in PEM.`, { cause: error })
  }
}

async function readText(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new QuorateError('INVALID', `${what} ${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
