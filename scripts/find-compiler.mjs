// Finds a C compiler for the tests that cut the power in effect, and with --install gets one from the system's own
// packages when it is missing. Plain JavaScript without dependencies: it runs before anything is built. Quiet when all
// is well.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from './system-packages.mjs'

export const compilerAdvice =
  'No C compiler was found: install one (Debian: apt-get install gcc libc6-dev) or point CC at it.'

/** The variable CC, then the usual names. Undefined when none of them compiles a program that includes a header. */
export function findCompiler(env = process.env) {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-compiler-'))
  const source = join(directory, 'try.c')
  writeFileSync(source, '#include <stdlib.h>\n')
  const names = env.CC ? [env.CC] : ['cc', 'gcc', 'clang']
  const found = names.find((name) => {
    const tried = spawnSync(name, ['-c', '-o', join(directory, 'try.o'), source], { stdio: 'ignore', env })
    return tried.status === 0
  })
  rmSync(directory, { recursive: true, force: true })
  return found
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (findCompiler() === undefined && process.argv.includes('--install')) installPackages('gcc', 'libc6-dev')
  if (findCompiler() === undefined) {
    console.error(compilerAdvice)
    process.exitCode = 1
  }
}
