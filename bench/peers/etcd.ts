// Three etcd processes as one cluster, with the settings they come with.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { guard } from '../../test/support/nats-server.ts'
import { eventually, type Peer } from './peer.ts'
import { freePorts } from './ports.ts'

const statusSchema = z.object({ header: z.object({ member_id: z.string() }), leader: z.string().optional() })
const NAMES = ['e1', 'e2', 'e3'] as const

export async function startEtcd(binary: string, parent: string): Promise<Peer> {
  const directory = mkdtempSync(join(parent, '.bench-etcd-'))
  const ports = await freePorts(2 * NAMES.length)
  const members = NAMES.map((name, at) => ({
    name,
    client: `http://127.0.0.1:${ports[2 * at]}`,
    peer: `http://127.0.0.1:${ports[2 * at + 1]}`,
  }))
  const all = members.map(({ name, peer }) => `${name}=${peer}`).join(',')
  const children = members.map(({ name, client, peer }) => {
    const own = ['--name', name, '--data-dir', join(directory, name)]
    const heard = ['--listen-client-urls', client, '--advertise-client-urls', client]
    const among = [
      '--listen-peer-urls',
      peer,
      '--initial-advertise-peer-urls',
      peer,
      '--initial-cluster',
      all,
    ]
    const child = spawn(binary, [...own, ...heard, ...among, '--log-level', 'error'], { stdio: 'ignore' })
    guard(child, join(directory, name))
    return child
  })
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(end))
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const clients = members.map(({ client }) => client)
    const address = await eventually('etcd', () => leaderAmong(clients))
    return { address, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function leaderAmong(clients: readonly string[]): Promise<string | null> {
  for (const client of clients) {
    const response = await fetch(`${client}/v3/maintenance/status`, { method: 'POST', body: '{}' })
    const { header, leader } = statusSchema.parse(await response.json())
    if (header.member_id === leader) return client
  }
  return null
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
