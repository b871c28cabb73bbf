// A second opinion on what a valid message is, written without the schemas: for checking what the codec accepts.

import type { InboundRequest, RequestVoteRequest } from '../../../src/transport/wire/messages/registry.ts'

const NAME = /^[A-Za-z0-9_-]{1,64}$/
export const isName = (value: unknown): boolean =>
  typeof value === 'string' && NAME.test(value) && !['leader', 'events', 'members'].includes(value)
export const isWhole = (value: unknown, min: number): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min

function hasKeys(value: object, keys: readonly string[]): boolean {
  return JSON.stringify(Object.keys(value).sort()) === JSON.stringify([...keys].sort())
}

function isVote(message: RequestVoteRequest): boolean {
  const { term, lastLogIndex, lastLogTerm, disruptedLeader: leader } = message
  return (
    hasKeys(message, ['term', 'lastLogIndex', 'lastLogTerm', 'disruptedLeader']) &&
    isWhole(term, 1) &&
    isWhole(lastLogIndex, 0) &&
    isWhole(lastLogTerm, 0) &&
    (leader === null || (hasKeys(leader, ['peer', 'term']) && isName(leader.peer) && isWhole(leader.term, 1)))
  )
}

export function isValidRequest(request: InboundRequest): boolean {
  if (!isName(request.from)) return false
  switch (request.method) {
    case 'pre_vote':
    case 'request_vote':
      return isVote(request.message)
    case 'timeout_now':
      return isWhole(request.message.term, 1) && typeof request.message.oldLeaderSteppedDown === 'boolean'
    case 'read_index':
      return hasKeys(request.message, ['term']) && isWhole(request.message.term, 1)
    case 'install_snapshot': {
      const { peers, oldPeers, learners, witnesses, term, lastIncludedTerm, ...rest } = request.message
      const { identities, newcomers, priorities, withheld, ...numbers } = rest
      return (
        typeof withheld === 'boolean' &&
        [...peers, ...oldPeers, ...learners, ...witnesses].every(isName) &&
        [...identities, ...newcomers, ...priorities].every(
          ([name, identity]) => isName(name) && isWhole(identity, 0),
        ) &&
        [term, lastIncludedTerm].every((n) => isWhole(n, 1)) &&
        hasKeys(numbers, ['lastIncludedIndex', 'bytes', 'files', 'takenAtMs']) &&
        Object.values(numbers).every((n) => isWhole(n, 0))
      )
    }
    case 'get_file': {
      const { term, lastIncludedIndex, lastIncludedTerm, name, offset, count } = request.message
      return (
        [term, lastIncludedTerm, count].every((n) => isWhole(n, 1)) &&
        [lastIncludedIndex, offset].every((n) => isWhole(n, 0)) &&
        name.length < 256 &&
        count <= 262_144
      )
    }
    case 'append_entries':
    case 'heartbeat': {
      const { term, prevLogIndex, prevLogTerm, committedIndex, entries } = request.message
      let lastTerm = prevLogTerm
      const areEntries = entries.every((entry, i) => {
        const fits = entry.term >= lastTerm && entry.term <= term && entry.index === prevLogIndex + 1 + i
        lastTerm = entry.term
        return (
          fits &&
          isWhole(entry.term, 1) &&
          [1, 2, 3, 4].includes(entry.type) &&
          entry.data instanceof Uint8Array &&
          (entry.type !== 4 || entry.data.length === 0)
        )
      })
      return (
        areEntries &&
        isWhole(term, 1) &&
        [prevLogIndex, prevLogTerm, committedIndex].every((n) => isWhole(n, 0))
      )
    }
  }
}

const STATES = ['installed', 'accepted', 'loading', 'busy']

/** Every field of an answer is a whole number or a flag, but for the state of an installation and a piece of a file. */
export function isValidResponse(response: object): boolean {
  return Object.entries(response).every(([field, value]) => {
    if (field === 'state') return STATES.includes(value)
    if (field === 'data') return value instanceof Uint8Array && value.length <= 262_144
    return typeof value === 'boolean' || isWhole(value, 0)
  })
}
