import { Encoder } from 'cbor-x'
import { describe, expect, test } from 'vitest'
import { formatPermissions } from '../../src/transport/permissions.ts'
import { PRESENCE } from '../../src/transport/rpc/peer-rpc.ts'
import { parseRpcSubject } from '../../src/transport/subjects.ts'
import { RequestEncoder } from '../../src/transport/wire/codec.ts'
import { MAX_ENTRIES_PER_FRAME, MAX_RUNS_PER_FRAME } from '../../src/transport/wire/entries.ts'
import { BEATS, beats } from '../../src/transport/wire/messages/beats.ts'
import { MAX_REMOTE_MESSAGE_LENGTH, REMOTE_ERRORS } from '../../src/transport/wire/messages/error-answer.ts'
import { type Message, SMALL_FRAME } from '../../src/transport/wire/messages/message.ts'
import { MESSAGES, RPC_METHODS } from '../../src/transport/wire/messages/registry.ts'
import { PEER_PROTOCOL_VERSION } from '../../src/transport/wire/sealed-tuple.ts'
import { permissionsOf, type User } from '../transport/support/permission-probes.ts'
import { codeIn, linksOf, read, rowsOf } from './support.ts'

const text = read('docs/protocol.md')
const rows = rowsOf(text)
const filledIn = (subject: string) =>
  subject.replace('<prefix>', 'quorate').replace('<group>', 'g').replace('<to>', 'n2').replace(/<\w+>/, 'n1')

/** From the heading that holds `word` to the next one. */
function sectionOf(word: string): string {
  const section = text.split(/^(?=#)/m).find((part) => part.split('\n')[0]?.includes(word))
  if (section === undefined) throw new Error(`no section about ${word}`)
  return section
}

function fieldRows(fields: Message<never, never>['request']['fields'], first: number): string[][] {
  return Object.entries(fields).map(([name, schema], i) => {
    const bounds = 'description' in schema ? schema.description : undefined
    return [String(first + i), `\`${name}\``, String(bounds)]
  })
}

function sizeOf(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`
}

describe('docs/protocol.md', () => {
  test('has a row for each message between members, with a subject that the grammar reads', () => {
    const subjects = rows
      .map(([, , , subject = '']) => codeIn(subject)[0])
      .filter((s) => s?.includes('.rpc.'))
    const methods = subjects.map((subject = '') => parseRpcSubject('quorate', filledIn(subject)))
    expect(methods.map((parsed) => parsed?.method).sort()).toEqual([...RPC_METHODS, PRESENCE, BEATS].sort())
  })

  test.each([...RPC_METHODS, BEATS] as const)(
    'has each field of %s in its place, with its bounds',
    (method) => {
      const section = sectionOf(`\`${method}\``)
      const { request, answer, frame, answerFrame } = method === BEATS ? beats : MESSAGES[method]
      const shown = rowsOf(section).filter(([item = '']) => /^\d+$/.test(item))
      expect(shown).toEqual([...fieldRows(request.fields, 3), ...fieldRows(answer.fields, 4)])
      const [asks, says] = [sizeOf(frame.maxBytes), sizeOf(answerFrame.maxBytes)]
      const isPlain = asks === says
      expect(section.replaceAll(/\s+/g, ' ')).toContain(
        isPlain ? `At most ${asks}` : `The request has at most ${asks}, the answer ${says}`,
      )
      const files = linksOf(section).map(({ target }) => target)
      expect(files).toContain(`../src/transport/wire/messages/${method.replace('_', '-')}.ts`)
    },
  )

  test('says what each error code means', () => {
    const shown = rowsOf(sectionOf('An error')).filter(([code = '']) => code.startsWith('`E'))
    expect(shown).toEqual(Object.entries(REMOTE_ERRORS).map(([code, says]) => [`\`${code}\``, says]))
    expect(text).toContain(`${MAX_REMOTE_MESSAGE_LENGTH} characters`)
  })

  test('tells what later versions may add', () => {
    const { maxBytes, gate } = SMALL_FRAME
    expect([maxBytes, PEER_PROTOCOL_VERSION]).toEqual([4096, 1])
    expect(sectionOf('Versions').replaceAll(/\s+/g, ' ')).toContain(
      `at most ${gate.maxItems} values and ${gate.maxDepth} levels`,
    )
  })

  test('shows a frame byte for byte', () => {
    const [block = ''] = /^84 {17}[\s\S]*?(?=```)/m.exec(text) ?? []
    const hex = block
      .split('\n')
      .flatMap((line) => /^ *((?:[0-9a-f]{2} )+) /.exec(`${line} `)?.[1]?.trim() ?? [])
    const bytes = new RequestEncoder('n1').encode('read_index', { term: 3 })
    expect(hex.join('').replaceAll(' ', '')).toBe(Buffer.from(bytes).toString('hex'))
    expect(new Encoder({ useRecords: false }).decode(bytes)).toEqual([1, 'n1', 3, 0x85b15177])
  })

  test('names every reason for which something is dropped', () => {
    const source = `${read('src/transport/rpc/drops.ts')}${read('src/transport/wire/gate.ts')}`
    const reasons = [...source.matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(([, reason = '']) => reason)
    const named = rowsOf(sectionOf('Order of the checks'))
      .flatMap(([first = '']) => codeIn(first))
      .filter((code) => /^[A-Z_]+$/.test(code))
    expect(reasons.length).toBeGreaterThan(18)
    expect(named.sort()).toEqual(reasons.sort())
  })

  test('tells the bounds of a frame', () => {
    expect(text).toContain(`${MAX_ENTRIES_PER_FRAME.toLocaleString('en-US')} entries`)
    expect(text).toContain(`${MAX_RUNS_PER_FRAME.toLocaleString('en-US')} runs`)
  })

  test.each<[string, User]>([
    ['member', 'n1'],
    ['client', 'app'],
    ['operator', 'ops'],
  ])('has the permissions of a %s', (word, name) => {
    const { publish, subscribe } = permissionsOf(name)
    const row = rows.find(([first]) => first === `${word} \`${name}\``) ?? []
    expect(row.slice(1).map(codeIn)).toEqual([publish, subscribe])
  })

  test('shows the permissions of a member as nats-server reads them', () => {
    expect(text).toContain(formatPermissions(permissionsOf('n1'), '      '))
  })
})
