// A copy of the repository with one bug in it, compiled: what seeds and tests are then run against.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Edit, Mutant } from './mutant.ts'

/** What a copy does without, or gets as a link. */
const NOT_COPIED = ['node_modules', 'dist', '.git']

/** Copies that are in use. */
const copies = new Set<string>()

/** Runs `use` in a copy of the repository that has the bug (null: none), and removes the copy. */
export async function inCopy<T>(
  root: string,
  mutant: Mutant | null,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-mutant-'))
  copies.add(directory)
  try {
    const isWanted = (path: string): boolean => !NOT_COPIED.some((name) => path === join(root, name))
    cpSync(root, directory, { recursive: true, filter: isWanted })
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
    if (mutant !== null) {
      for (const edit of [mutant, ...(mutant.also ?? [])]) plant(directory, mutant.name, edit)
    }
    compile(directory, mutant?.name ?? 'none')
    return await use(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
    copies.delete(directory)
  }
}

/** For a process that has to go now. */
export function removeCopies(): void {
  for (const directory of copies) rmSync(directory, { recursive: true, force: true })
}

/** The nearest directory above this file that has the sources. */
export function findRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'src', 'rules', 'quorum.ts'))) {
    const above = dirname(directory)
    if (above === directory)
      throw new Error('The sources are needed for planting bugs: run it in a checkout of the repository.')
    directory = above
  }
  return directory
}

function plant(directory: string, name: string, { file, find, replace }: Edit): void {
  const path = join(directory, 'src', file)
  const source = readFileSync(path, 'utf8')
  const places = source.split(find).length - 1
  if (places !== 1)
    throw new Error(
      `Mutant "${name}": its text occurs ${places} times in src/${file}, and must occur once. Bring tools/mutants up to date.`,
    )
  writeFileSync(
    path,
    source.replace(find, () => replace),
  )
}

/** Without type checks, which a bug need not pass. */
function compile(directory: string, name: string): void {
  const args = [join('scripts', 'build.mjs'), '--noCheck', '--sourceMap', 'false', '--inlineSources', 'false']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
  if (status !== 0) throw new Error(`The copy with mutant "${name}" does not compile:\n${stdout}${stderr}`)
}
