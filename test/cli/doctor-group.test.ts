// `quorate doctor` on a group that is not as it should be: members whose words the test decides, over a real server that
// takes small payloads and lets one of its users say little.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { attachServices } from '../../src/services/attach.ts'
import type { NodeStatus, ReplicatorStatus, SettingsStatus } from '../../src/status.ts'
import { connectNats } from '../../src/transport/nats/connect-nats.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { FakeNode } from '../client/fake-node.ts'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, runCli } from './run-cli.ts'

const IDS = ['n1', 'n2', 'n3'] as const
const CONFIG = `max_payload: 256KB
authorization {
  users: [
    { user: all, password: x }
    { user: narrow, password: x, permissions: {
      publish: { allow: ["quorate.*.members.*", "quorate.*.leader.read"] }
      subscribe: { allow: ["_INBOX_narrow.>"] }
    } }
  ]
}`

const reportSchema = z.object({
  findings: z.array(z.object({ check: z.string(), verdict: z.string(), says: z.string() })),
})

/** Says of itself whatever the test likes. */
class Patient extends FakeNode {
  told: Partial<NodeStatus> = {}
  aheadMs = 0

  override status(): NodeStatus {
    return {
      ...super.status(),
      ...{ wallClockMs: Date.now() + this.aheadMs, leaderContactMs: 5, settings },
      ...this.told,
    }
  }
}

const settings: SettingsStatus = {
  ...{ electionTimeoutMs: 1000, maxClockDriftMs: 1000, leaderLease: false, maxEntryBytes: 100_000 },
}
const disk = { walBytes: 1, databaseBytes: 1, blockedByReaderMs: null }

function replicator(peer: string, lastContactMs: number): ReplicatorStatus {
  return {
    ...{ peer, lastContactMs, state: 'replicating', nextIndex: 1, matchIndex: 0, identity: 0, counts: true },
    ...{ readonly: false, inFlightEntries: 0, inFlightFrames: 0, consecutiveErrors: 0, installing: null },
  }
}

let server: NatsServer
const buses: Transport[] = []
const patients = IDS.map((id) => new Patient(id, { peers: IDS }))

beforeAll(async () => {
  server = await NatsServer.start({ config: CONFIG })
  for (const [at, node] of patients.entries()) {
    const transport = await connectNats({ servers: server.url, id: node.id, user: 'all', pass: 'x' })
    buses.push(transport)
    if (node.id === 'n1') node.lead(1)
    else node.follow('n1', 1)
    attachServices({ transport, node, version: at === 2 ? '0.2.0' : '0.1.0' })
  }
})
afterAll(async () => {
  for (const bus of buses) await bus.close()
  await server?.stop()
})

async function doctor(user: string, ...told: readonly Partial<NodeStatus>[]) {
  for (const [at, node] of patients.entries()) node.told = told[at] ?? {}
  const where = ['--nats', server.url, '--as', user, '--password', 'x']
  const { stdout, stderr } = await runCli(['doctor', '--json', ...where])
  expect(stderr).toBe('')
  const { findings } = reportSchema.parse(jsonLines(stdout)[0])
  return (check: string): string =>
    findings
      .filter((finding) => finding.check === check)
      .map(({ verdict, says }) => `${verdict}: ${says}`)
      .join('\n')
}

const replicators = [replicator('n2', 10), replicator('n3', 10)]

test('clocks, settings, versions, payloads and disks that are as they should be are told', async () => {
  const found = await doctor('all', { replicators }, {}, {})
  expect(found('clocks')).toMatch(/^ok: All show the same time of the day, within [\d,]+ ms\.$/)
  expect(found('own clock')).toMatch(/^ok: It ran evenly/)
  expect(found('settings')).toBe('ok: What must be equal on all members is equal.')
  expect(found('reach')).toBe('ok: The leader hears every member that answers, and is heard.')
  expect(found('permissions')).toMatch(/^ok: /)
  expect(found('bus')).toBe('ok: Connected, takes payloads of 256 KiB.')
  expect(found('versions')).toBe(
    'warning: 0.1.0 on n1 and n2, 0.2.0 on n3: go on with the upgrade until all are equal.',
  )
})

test('each that is not is named, with the member and with what to do', async () => {
  for (const node of patients) node.aheadMs = node.id === 'n2' ? -60_000 : 0
  const writes = { count: 500, p50Ms: 50, p99Ms: 1000 }
  const found = await doctor(
    'all',
    { replicators: [replicator('n2', 10), replicator('n3', 9000)] },
    { disk: { ...disk, writes } },
    {
      settings: { ...settings, electionTimeoutMs: 3000, maxEntryBytes: 300_000 },
      disk: { ...disk, freeBytes: 50_000_000 },
    },
  )
  for (const node of patients) node.aheadMs = 0
  expect(found('clocks')).toMatch(/^warning: n2 is (59|6\d),\d+ ms behind: let NTP or chrony set it\./)
  expect(found('settings').split('\n')).toEqual([
    'problem: electionTimeoutMs + maxClockDriftMs is 2000 on n1 and n2, 4000 on n3: set it equal on all members, for a leader trusts its followers to wait that long.',
    'problem: maxEntryBytes is 100000 on n1 and n2, 300000 on n3: set it equal on all members, for a command that one leader takes is refused by the next.',
  ])
  expect(found('reach')).toMatch(/^warning: n1 hears nothing of n3, while n3 hears n1, though both answer/)
  expect(found('bus')).toMatch(/^problem: Takes payloads of 256 KiB, .* max_payload of the server to 301 KiB/)
  expect(found('member n2')).toMatch(/^warning: Its writes take up to 50 ms at the median and 1,000 ms/)
  expect(found('member n3')).toMatch(/^problem: 50 MB are free: .* Make space\.$/)
})

test('a follower that hears no leader is named, and a cut both ways once', async () => {
  const found = await doctor(
    'all',
    { replicators: [replicator('n2', 9000), replicator('n3', 10)] },
    { leaderContactMs: 9000 },
    { leader: null, settings: null, wallClockMs: null },
  )
  expect(found('reach').split('\n')).toEqual([
    expect.stringMatching(/^warning: n1 and n2 hear nothing of each other, though both answer here: /),
    expect.stringMatching(/^warning: n3 hears nothing of n1, while n1 hears n3, though both answer here: /),
  ])
})

test('what the bus refuses the user is named', async () => {
  const found = await doctor('narrow', { replicators })
  expect(found('permissions')).toMatch(
    /^problem: The bus refuses narrow the subscription of quorate\.demo\.events\.\*\.inspect, publish of quorate\.demo\.doctor\.client\.propose: --as has to be the name of its user, and the user needs what quorate permissions --clients narrow prints/,
  )
  expect(found('read')).toMatch(/^ok: /)
})
