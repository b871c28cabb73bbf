// One member as a process: bus, disk, node and services up in order, and down again when a signal asks for it.

import type { RaftNode } from '../../api.ts'
import { isQuorateError } from '../../errors.ts'
import { openDataDirectory, openHost } from '../../host/open-host.ts'
import { KeyValueStore } from '../../machines/kv.ts'
import { serveHttp } from '../../observability/http/serve-http.ts'
import type { TuningInput } from '../../options.ts'
import { memberSource } from '../../page/server/member-source.ts'
import { Site } from '../../page/server/site.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import { attachServices } from '../../services/attach.ts'
import { StorageError } from '../../storage/storage.ts'
import type { Transport } from '../../transport/transport.ts'
import { openBus } from '../bus.ts'
import { CliError, ExitCode, endThoughDiskHangs, sentenceOf } from '../exit.ts'
import { createLogger } from '../logger.ts'
import { packageVersion } from '../version.ts'
import { claimDirectory } from './claim.ts'
import { askPresence } from './duplicate.ts'
import type { ServeFlags } from './flags.ts'
import { showJoining } from './join.ts'
import { loadStateMachine } from './machine-loader.ts'
import { isStop, listenForStop, type StopRequest, unlessAsked } from './stop-request.ts'

const PRESENCE_TIMEOUT_MS = 1000
const LINGER_MS = 1000
/** Of the page that a member serves: it has other things to do. */
const MAX_VIEWERS = 8

/** Resolves when the member has been asked to stop and has stopped. */
export async function serve(flags: ServeFlags, tuning: TuningInput): Promise<void> {
  const { id, group } = flags
  let term: number | null = null
  const logger = await createLogger({
    ...{ level: flags.logLevel, member: id, group, term: () => term },
    pretty: flags.json !== true && process.stdout.isTTY === true,
  })
  const setTerm = (next: number): void => {
    term = next
  }
  // Whatever was opened before something fails is closed again, last to first.
  const opened: (() => unknown)[] = []
  const stop = listenForStop(logger)
  let isEarly = false
  try {
    await run({ flags, tuning, logger, setTerm, stop, opened })
  } catch (error) {
    if (!isStop(error, stop)) throw error
    isEarly = true
  } finally {
    for (const close of opened.reverse()) await close()
    if (isEarly) logger.info({}, 'Stopped before the member was up.')
    leaveSoon(logger)
  }
}

/** What a user's module has opened must not keep the process of a member that has stopped. */
function leaveSoon(logger: Logger): void {
  const leave = (): void => {
    logger.warn({}, 'Something that the state machine has opened keeps the process alive: leaving.')
    endThoughDiskHangs()
    process.exit()
  }
  setTimeout(leave, LINGER_MS).unref()
}

interface Run {
  readonly flags: ServeFlags
  readonly tuning: TuningInput
  readonly logger: Logger
  readonly setTerm: (term: number) => void
  readonly stop: StopRequest
  readonly opened: (() => unknown)[]
}

async function run({ flags, tuning, logger, setTerm, stop, opened }: Run): Promise<void> {
  const { id, group, prefix } = flags
  const stateMachine =
    flags.machine === undefined
      ? new KeyValueStore()
      : await unlessAsked(loadStateMachine(flags.machine), stop)
  // The directory first: what is wrong with it is said at once, also while there is no bus.
  // What is loaded on demand is there before anything is begun that would have to be ended.
  await import('nats')
  stop.signal.throwIfAborted()
  const storage = await openDataDirectory(id, flags.data, logger)
  const closeStorage = (): Promise<void> => new Promise((done) => storage.close(() => done()))
  opened.push(closeStorage)
  await claimDirectory(flags.data, group)
  const transport = await openBus({ flags, id, logger, signal: stop.signal })
  opened.push(() => transport.close())
  await refuseDuplicate(transport, flags, logger, stop)
  stop.signal.throwIfAborted()
  const host = await openHost({ id, storage, transport, prefix, logger })
  opened.push(() => host.close())
  if (flags.http !== undefined) {
    const page = new Site({
      source: memberSource({ transport, host, prefix, group }),
      maxViewers: MAX_VIEWERS,
    })
    const http = await serveHttp(host, { ...flags.http, logger, page })
    opened.push(() => http.close())
    logger.info({ url: http.url }, 'The page, status, health and metrics are served by HTTP.')
  }
  const starting = host.startNode({ ...tuning, group, peers: flags.peers, trust: flags.trust, stateMachine })
  const node = await unlessAsked(starting, stop).catch((error: unknown) => Promise.reject(asRefusal(error)))
  setTerm(node.status().term)
  watch(node, logger, setTerm)
  const services = attachServices({ transport, node, prefix, logger, version: packageVersion() })
  opened.push(() => services.detach())
  const { role, lastIndex, peers } = node.status()
  logger.info({ role, lastIndex, peers, data: flags.data }, 'The member is up.')
  if (flags.join === true) opened.push(showJoining({ node, transport, flags, logger }))

  await stop.asked
  const { role: roleAtEnd, error } = node.status()
  if (roleAtEnd === 'error') {
    // A supervisor must not take this for an orderly end.
    process.exitCode = ExitCode.FAILED
    logger.warn({ error }, 'Stopping: the member was in its error state, so there is nothing to hand over.')
  } else logger.info({}, 'Stopping: handing over leadership and settling what is pending.')
  await node.close()
  logger.info({}, 'Stopped.')
}

/** A bus that is too small for the group's entries is not a failure of the bus: this member must not start. */
function asRefusal(error: unknown): unknown {
  return isQuorateError(error) && error.code === 'TRANSPORT'
    ? new CliError(ExitCode.REFUSED, error.message)
    : error
}

async function refuseDuplicate(
  transport: Transport,
  flags: ServeFlags,
  logger: Logger,
  { signal }: StopRequest,
): Promise<void> {
  const { id, group, prefix, nats } = flags
  const limits = { timeoutMs: PRESENCE_TIMEOUT_MS, signal }
  const presence = await askPresence(transport, systemClock, { prefix, group, id }, limits)
  if (presence === 'present') {
    const text = `Another process already is member ${id} of group ${group} on ${nats}; stop it or choose another --id.`
    throw new CliError(ExitCode.REFUSED, text)
  }
  if (presence === 'silent' && !signal.aborted)
    logger.warn({}, `Something listens as member ${id} and does not answer; going on as if it were gone.`)
}

/** The disk's own code says most: FULL, IO, CORRUPT. */
function codeOf(error: Error): string {
  const cause = error.cause instanceof StorageError ? error.cause : error
  return isQuorateError(cause) || cause instanceof StorageError ? cause.code : 'INTERNAL'
}

function watch(node: RaftNode, logger: Logger, setTerm: (term: number) => void): void {
  node.on('role', ({ term }) => setTerm(term))
  node.on('leader', ({ term }) => setTerm(term))
  node.on('error', (error) => {
    const { durableIndex, lastIndex } = node.status()
    // Nothing of this was acknowledged; the leader still has it, or clients were told that its outcome is unknown.
    const lost =
      lastIndex > durableIndex ? ` Entries ${durableIndex + 1} to ${lastIndex} may not be on disk.` : ''
    logger.error(
      { code: codeOf(error), error, durableIndex, lastIndex },
      `The member stopped in its error state: ${sentenceOf(error)}${lost} Mend the cause, then start this process again.`,
    )
  })
}
