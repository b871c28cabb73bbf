// The flags that several commands share, with the environment variables that stand in for them.

import { InvalidArgumentError, Option } from 'commander'
import { nameSchema } from '../options.ts'
import { DEFAULT_PREFIX, isMemberName, isPrefix } from '../transport/subjects.ts'
import type { AccessFlags } from './bus-access.ts'

export const DEFAULT_NATS_URL = 'nats://127.0.0.1:4222'
export const DEFAULT_GROUP = 'demo'
const DEFAULT_TIMEOUT_MS = 5000

export interface BusFlags extends AccessFlags {
  readonly nats: string
  readonly group: string
  readonly prefix: string
}

export interface ClientFlags extends BusFlags {
  readonly timeout: number
  readonly as: string
  readonly json?: boolean
}

export const natsOption = (): Option =>
  new Option('--nats <url>', 'NATS server, or several separated by commas')
    .env('QUORATE_NATS')
    .default(DEFAULT_NATS_URL)
    .argParser(parseText('--nats'))

export const groupOption = (): Option =>
  new Option('--group <name>', 'Raft group').env('QUORATE_GROUP').default(DEFAULT_GROUP).argParser(parseName)

export const prefixOption = (): Option =>
  new Option('--prefix <words>', 'first words of every subject')
    .env('QUORATE_PREFIX')
    .default(DEFAULT_PREFIX)
    .argParser((text) => {
      if (isPrefix(text)) return text
      throw new InvalidArgumentError('It must be words of letters, digits, _ or - joined by dots.')
    })

/** Who one is to the server, in the three ways there are, and how the connection is protected. */
export const accessOptions = (): Option[] => [
  new Option('--creds <file>', 'NATS credentials file').env('QUORATE_CREDS'),
  new Option('--user <name>', 'NATS user (default: the own name, when there is a password)')
    .env('QUORATE_USER')
    .argParser(parseText('--user')),
  new Option('--password <text>', 'NATS password; the environment is a better place for it')
    .env('QUORATE_PASSWORD')
    .argParser(parseText('--password')),
  new Option('--nkey <file>', 'seed of an NKey, which proves who one is and is never sent').env(
    'QUORATE_NKEY',
  ),
  new Option('--tls-ca <file>', 'certificates of the authority that the server must be known by').env(
    'QUORATE_TLS_CA',
  ),
  new Option('--tls-cert <file>', 'own certificate, for servers that ask for one').env('QUORATE_TLS_CERT'),
  new Option('--tls-key <file>', 'private key of --tls-cert').env('QUORATE_TLS_KEY'),
]

export const jsonOption = (): Option => new Option('--json', 'machine-readable output on stdout')

/** What every command that talks to a running group has. */
export function clientOptions(): Option[] {
  return [
    natsOption(),
    groupOption(),
    prefixOption(),
    ...accessOptions(),
    new Option('--as <name>', "this client's name on the bus").default('cli').argParser(parseName),
    new Option('--timeout <ms>', 'how long an operation may take, retries included')
      .default(DEFAULT_TIMEOUT_MS)
      .argParser(parseCount('milliseconds', 1, 2_147_483_647)),
    jsonOption(),
  ]
}

/** A group, or a client. */
export function parseName(text: string): string {
  if (nameSchema.safeParse(text).success) return text
  throw new InvalidArgumentError('It must be 1 to 64 letters, digits, _ or -.')
}

export function parseMember(text: string): string {
  if (isMemberName(text)) return text
  throw new InvalidArgumentError(
    'A member is called with 1 to 64 letters, digits, _ or -, and not by a word with a meaning in subjects.',
  )
}

/** `n1,n2,n3`. */
export function parseMembers(text: string): readonly string[] {
  return parseList(text, parseMember)
}

/** `app,cli`. */
export function parseNames(text: string): readonly string[] {
  return parseList(text, parseName)
}

function parseList(text: string, parseOne: (text: string) => string): readonly string[] {
  const names = text === '' ? [] : text.split(',').map((name) => parseOne(name.trim()))
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new InvalidArgumentError(`It names ${twice} twice.`)
  return names
}

export function parseCount(unit: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number of ${unit} from ${min} to ${max}.`)
  }
}

function parseText(flag: string): (text: string) => string {
  return (text) => {
    if (text.trim() !== '') return text
    throw new InvalidArgumentError(`${flag} must not be empty.`)
  }
}
