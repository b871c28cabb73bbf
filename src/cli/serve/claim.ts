// Which group a served data directory is for: a note beside the database, so that a mistyped --group is refused and
// doesn't begin an empty group among the files of another.

import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { nameSchema } from '../../options.ts'
import { CliError, ExitCode } from '../exit.ts'

const FILE = 'served-group.json'
const noteSchema = z.object({ group: nameSchema })

/**
 * Call it while the directory is locked.
 * @throws CliError when the directory is for another group, or the note can't be read or written.
 */
export async function claimDirectory(dataDir: string, group: string): Promise<void> {
  const file = join(dataDir, FILE)
  const text = await readNote(file)
  if (text === null) {
    // Under another name first: a process that is killed here leaves no half of a note behind.
    await writeFile(`${file}.new`, `${JSON.stringify({ group })}\n`, { flush: true })
    await rename(`${file}.new`, file)
    return
  }
  const note = parseNote(text)
  if (note === undefined)
    throw new CliError(
      ExitCode.REFUSED,
      `${file} does not say which group ${dataDir} is for; mend or remove it.`,
    )
  if (note.group === group) return
  throw new CliError(
    ExitCode.REFUSED,
    `The data directory ${dataDir} is for group ${note.group}, not for ${group}; choose another --data or --group.`,
  )
}

/** The directory is for no group any more, if it was for this one. */
export async function releaseDirectory(dataDir: string, group: string): Promise<void> {
  const file = join(dataDir, FILE)
  const text = await readNote(file)
  if (text !== null && parseNote(text)?.group === group) await rm(file)
}

async function readNote(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function parseNote(text: string): z.output<typeof noteSchema> | undefined {
  try {
    return noteSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
