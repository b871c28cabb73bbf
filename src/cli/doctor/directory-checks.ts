// The look of the doctor, and of `quorate verify`, at one member's files.

import { messageOf } from '../../runtime/errors.ts'
import {
  type InspectedDirectory,
  type InspectedGroup,
  inspectDirectory,
} from '../../storage/sqlite/inspect-directory.ts'
import { formatCount } from '../output.ts'
import { type Finding, fine, problem, warning } from './finding.ts'
import { checkCoverage, checkSnapshots } from './snapshot-checks.ts'
import { spaceFinding } from './space.ts'

const MEGABYTE = 1_000_000
/** What the write-ahead log is kept to, with room to spare. */
const LARGE_WAL_BYTES = 16 * MEGABYTE

type OnProgress = (done: number, total: number) => void

/** A quick look at a member that runs, a thorough one when it is stopped. */
export function checkDirectory(dataDir: string, onProgress: OnProgress): readonly Finding[] {
  return looked(() => {
    const found = inspectDirectory(dataDir, onProgress)
    return [
      ...describe(dataDir, found),
      checkContent(found),
      ...checkSnapshots(dataDir, found.inUse, 'newest'),
      checkWal(found),
      spaceFinding('free space', found.freeBytes),
      checkFileSystem(found),
    ]
  })
}

/** Everything that has a checksum, as far as a member that runs lets anybody read it. */
export function verifyDirectory(dataDir: string, onProgress: OnProgress): readonly Finding[] {
  return looked(() => {
    const found = inspectDirectory(dataDir, onProgress, true)
    return [
      ...describe(dataDir, found),
      checkContent(found),
      ...checkSnapshots(dataDir, found.inUse, 'all'),
      ...(found.inUse ? [] : checkCoverage(dataDir, found.groups)),
    ]
  })
}

function looked(look: () => readonly Finding[]): readonly Finding[] {
  try {
    return look()
  } catch (error) {
    return [problem('data directory', messageOf(error))]
  }
}

function describe(
  dataDir: string,
  { hostId, formatVersion, groups }: InspectedDirectory,
): readonly Finding[] {
  return [
    fine('data directory', `${dataDir} belongs to member ${hostId}, format version ${formatVersion}.`),
    ...groups.map(describeGroup),
  ]
}

function describeGroup({ name, term, votedFor, firstIndex, lastIndex }: InspectedGroup): Finding {
  const vote = votedFor === null ? 'no vote' : `voted for ${votedFor}`
  const entries = lastIndex < firstIndex ? 'no entries' : `entries ${firstIndex} to ${lastIndex}`
  return fine(`group ${name}`, `Term ${term}, ${vote}, ${entries}.`)
}

function checkContent({ isLookedThrough, damage, databaseBytes, groups }: InspectedDirectory): Finding {
  const check = 'content'
  if (damage.length > 0) {
    const [first = ''] = damage
    const more = damage.length > 1 ? ` (and ${damage.length - 1} more)` : ''
    return problem(
      check,
      `${first}${more} Keep the directory and start this member from a healthy one's data.`,
    )
  }
  if (!isLookedThrough)
    return fine(
      check,
      'A member is running on it; pages and checksums are looked through when it is stopped; quorate verify --data does it meanwhile.',
    )
  const entries = groups.reduce((sum, { firstIndex, lastIndex }) => sum + lastIndex - firstIndex + 1, 0)
  const size = (databaseBytes / MEGABYTE).toFixed(1)
  return fine(check, `All pages and ${formatCount(entries)} entries (${size} MB) fit their checksums.`)
}

function checkWal({ walBytes, inUse }: InspectedDirectory): Finding {
  const check = 'write-ahead log'
  const size = `${(walBytes / MEGABYTE).toFixed(1)} MB`
  if (walBytes <= LARGE_WAL_BYTES) return fine(check, `${size}.`)
  const why = inUse
    ? 'another program reads the database for long (a backup, a sqlite3 shell): end it, and the file shrinks.'
    : 'its member did not end in order; it is moved at the next start.'
  return warning(check, `${size}: ${why}`)
}

function checkFileSystem({ fileSystem }: InspectedDirectory): Finding {
  const check = 'file system'
  if (fileSystem === 'network')
    return problem(check, 'A network file system: it cannot promise what is written. Use a local disk.')
  if (fileSystem === 'memory')
    return warning(check, 'In memory: all of it is lost when the machine restarts. Use a disk.')
  return fine(check, 'Local.')
}
