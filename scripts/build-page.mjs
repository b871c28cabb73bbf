// Bundles the page for browsers: three files, everything inside, beside the compiled server of the page.
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = new URL('../', import.meta.url)
const from = fileURLToPath(new URL('src/page/browser/', root))
const to = fileURLToPath(new URL('dist/src/page/browser/', root))

await build({
  entryPoints: [
    { in: `${from}main.tsx`, out: 'page' },
    { in: `${from}page.css`, out: 'page' },
  ],
  outdir: to,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  tsconfig: `${from}tsconfig.json`,
  legalComments: 'eof',
  logLevel: 'warning',
})
cpSync(`${from}index.html`, `${to}index.html`)
