// Finds Chromium, which draws the charts and drives pages in tests, and with --install gets it from the system's own
// packages when it is missing. Plain JavaScript without dependencies: it runs before anything is built. Quiet when all
// is well.

import { fileURLToPath } from 'node:url'
import { findProgram, installPackages } from './system-packages.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const MORE_PLACES = ['/usr/bin', '/usr/local/bin', '/Applications/Google Chrome.app/Contents/MacOS']

export const chromiumAdvice =
  'Chromium was not found: install it (Debian: apt-get install chromium) or point CHROMIUM at it.'

/** Path of Chromium: the variable CHROMIUM, then PATH, then the usual places. Undefined when there is none. */
export function findChromium(env = process.env) {
  const names = process.platform === 'darwin' ? [...NAMES, 'Google Chrome'] : NAMES
  return findProgram(names, env.CHROMIUM, env.PATH, MORE_PLACES)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (findChromium() === undefined && process.argv.includes('--install')) installPackages('chromium')
  if (findChromium() === undefined) {
    console.error(chromiumAdvice)
    process.exitCode = 1
  }
}
