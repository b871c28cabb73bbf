// How scenario scripts show members, disks, messages and answers: one short line each, without times.

import { type Configuration, EntryType, type LogEntry } from '../../src/rules/types.ts'
import type {
  ChangeAnswer,
  DurableState,
  HeldMessage,
  ProposalAnswer,
  QueryAnswer,
  SimulatedStatus,
  Simulation,
  SnapshotAnswer,
  TransferAnswer,
} from '../../src/testing.ts'
import { decodeRequest, decodeResponse, decodeValue } from '../../src/transport/wire/codec.ts'
import type { RpcMethod } from '../../src/transport/wire/messages/registry.ts'

const METHODS: Readonly<Record<string, RpcMethod>> = {
  prevote: 'pre_vote',
  vote: 'request_vote',
  append: 'append_entries',
  heartbeat: 'heartbeat',
  timeoutNow: 'timeout_now',
  readIndex: 'read_index',
  installSnapshot: 'install_snapshot',
  getFile: 'get_file',
}

/** What `expect` and `until` may ask about: the status, and what it says of snapshots by names of their own. */
export function fieldsOf(status: SimulatedStatus): Readonly<Record<string, unknown>> {
  const { newest, state, saves, failures, doneBytes } = status.snapshot
  return {
    ...status,
    members: setWords(status).replaceAll(' ', ''),
    snapshotIndex: newest?.index ?? 0,
    snapshotTerm: newest?.term ?? 0,
    ...{
      snapshotState: state,
      snapshotSaves: saves,
      snapshotFailures: failures,
      snapshotDoneBytes: doneBytes,
    },
  }
}

/** `A leader term 2, voted A, follows A, log 1-4 (durable 4), commit 4, applied 4` */
export function memberLine(sim: Simulation, id: string): string {
  const { alive, paused, status } = sim.node(id)
  if (!alive) return `${id} dead`
  const {
    role,
    term,
    votedFor,
    leader,
    lastIndex,
    lastTerm,
    durableIndex,
    commitIndex,
    appliedIndex,
    firstIndex,
    snapshot: { newest },
    error,
  } = status()
  const notes = [
    paused ? ' paused' : '',
    status().leaseValid ? ', lease' : '',
    newest === null ? '' : `, snapshot ${newest.index}/${newest.term}, log from ${firstIndex}`,
    error === null ? '' : `: ${error}`,
  ]
  return `${id} ${role} term ${term}, vote ${votedFor ?? '-'}, leader ${leader ?? '-'}, last ${lastIndex}/${lastTerm} (durable ${durableIndex}), commit ${commitIndex}, applied ${appliedIndex}${notes.join('')}`
}

/** `term 2, vote A: 1/2 configuration, 2/2 put x 1` */
export function diskLine({ term, votedFor, entries, snapshot }: DurableState): string {
  const front =
    snapshot === null ? '' : `snapshot ${snapshot.lastIncludedIndex}/${snapshot.lastIncludedTerm}, `
  return `term ${term}, vote ${votedFor ?? '-'}: ${front}${entries.map(entryWords).join(', ') || 'no entries'}`
}

function entryWords({ index, term, type, data }: LogEntry): string {
  if (type === EntryType.CONFIGURATION) return `${index}/${term} configuration`
  if (type === EntryType.NO_OP) return `${index}/${term} no-op`
  const decoded = decodeValue(data)
  const value = decoded.ok ? (decoded.value as { command?: unknown }).command : null
  return `${index}/${term} ${Array.isArray(value) ? value.join(' ') : JSON.stringify(value)}`
}

/** `append A>B term=2 prev=2/2 commit=2 entries=3/2` */
export function messageLine({ kind, from, to, payload }: HeldMessage): string {
  return `${kind} ${from}>${to}${kind.endsWith('Ack') ? answerWords(kind.slice(0, -3), payload) : askWords(kind, payload)}`
}

function askWords(kind: string, payload: Uint8Array): string {
  const method = METHODS[kind]
  const decoded = method === undefined ? null : decodeRequest(method, payload)
  if (decoded?.ok !== true) return ''
  const { message } = decoded.value
  if ('entries' in message) {
    const { term, prevLogIndex, prevLogTerm, committedIndex, entries } = message
    const list = entries.map((entry) => `${entry.index}/${entry.term}`).join(',')
    return ` term=${term} prev=${prevLogIndex}/${prevLogTerm} commit=${committedIndex} entries=${list || '-'}`
  }
  if ('lastIncludedIndex' in message) {
    const wanted = 'name' in message ? ` file=${message.name || '-'} offset=${message.offset}` : ''
    return ` term=${message.term} snapshot=${message.lastIncludedIndex}/${message.lastIncludedTerm}${wanted}`
  }
  if ('lastLogIndex' in message)
    return ` term=${message.term} last=${message.lastLogIndex}/${message.lastLogTerm}`
  return ` term=${message.term}`
}

function answerWords(kind: string, payload: Uint8Array): string {
  const method = METHODS[kind]
  const decoded = method === undefined ? null : decodeResponse(method, payload)
  if (decoded?.ok !== true) return ''
  const { outcome } = decoded.value
  if (!outcome.ok) return ` ${outcome.error.code}`
  const { response } = outcome
  if ('granted' in response) return ` term=${response.term} ${response.granted ? 'granted' : 'refused'}`
  if ('index' in response) return ` term=${response.term} index=${response.index}`
  if ('state' in response) return ` term=${response.term} ${response.state}`
  if ('data' in response) return ` term=${response.term} bytes=${response.data.length}/${response.total}`
  if (response.success) return ` term=${response.term} success`
  return ` term=${response.term} refused${'conflictTerm' in response ? conflictWords(response) : ''}`
}

function conflictWords({
  conflictTerm,
  conflictIndex,
}: {
  conflictTerm: number
  conflictIndex: number
}): string {
  return conflictTerm === 0 ? '' : ` conflict=${conflictTerm} from ${conflictIndex}`
}

/** `ok B leads term 3`, `failed TIMEOUT` */
export function leadershipLine(answer: TransferAnswer): string {
  if (answer.outcome === 'ok') return `ok ${answer.leader} leads term ${answer.term}`
  return `failed${answer.error === null ? '' : ` ${answer.error.code}`}`
}

/** `A voter {A,B}`, `B learner {A} + {B}, changing: joint`, `C removed {A,B}`, `D voter {A,B} to {B,C}` */
export function membersLine(sim: Simulation, id: string): string {
  const { alive, status } = sim.node(id)
  if (!alive) return `${id} dead`
  const { membership, change } = status()
  return `${id} ${membership} ${setWords(status())}${change === null ? '' : `, changing: ${change.stage}`}`
}

function setWords({ peers, oldPeers, learners = [] }: Configuration): string {
  const old = oldPeers.length === 0 ? '' : `{${oldPeers.join(',')}} to `
  return `${old}{${peers.join(',')}}${learners.length === 0 ? '' : ` + {${learners.join(',')}}`}`
}

/** `ok {A,B} + {C}`, `failed BUSY`, `unknown LEADERSHIP_LOST` */
export function changeLine(answer: ChangeAnswer): string {
  if (answer.outcome === 'ok') return `ok ${setWords(answer.configuration)}`
  return `${answer.outcome}${answer.error === null ? '' : ` ${answer.error.code}`}`
}

/** `ok 3/2`, `failed NOT_LEADER`, `unknown`; queries: `ok "1"` */
export function answerLine(answer: ProposalAnswer | QueryAnswer | SnapshotAnswer): string {
  if (answer.outcome !== 'ok')
    return `${answer.outcome}${answer.error === null ? '' : ` ${answer.error.code}`}`
  if ('answer' in answer) return `ok ${JSON.stringify(answer.answer)}`
  if (!('result' in answer)) return `ok ${answer.index}/${answer.term}`
  return `ok ${answer.index}/${answer.term}${answer.result === null ? '' : ` ${JSON.stringify(answer.result)}`}`
}
