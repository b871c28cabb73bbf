// Builds everything into dist/: removes the old output first, so that a renamed source file leaves no stale module
// behind, and puts the few plain scripts that compiled code imports beside it. Arguments go to the compiler.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
rmSync(new URL('dist', root), { recursive: true, force: true })
const compiler = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace(/package\.json$/, 'bin/tsc')
const compiled = spawnSync(
  process.execPath,
  [compiler, '-p', fileURLToPath(new URL('tsconfig.build.json', root)), ...process.argv.slice(2)],
  { stdio: 'inherit' },
)
if (compiled.status !== 0) process.exit(compiled.status ?? 1)
for (const script of ['find-nats-server.mjs', 'find-chromium.mjs', 'find-etcd.mjs', 'system-packages.mjs']) {
  copyFileSync(new URL(`scripts/${script}`, root), new URL(`dist/scripts/${script}`, root))
}
await import('./build-page.mjs')
chmodSync(new URL('dist/src/cli/main.js', root), 0o755)
