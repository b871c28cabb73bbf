// Finds Chromium, which draws the charts and drives pages in tests, and with --install gets it from the system's own
// packages when it is missing. Plain JavaScript without dependencies: it runs before anything is built. Quiet when all
// is well.

import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from './system-packages.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const MORE_PLACES = ['/usr/bin', '/usr/local/bin', '/Applications/Google Chrome.app/Contents/MacOS']

export const chromiumAdvice =
  'Chromium was not found: install it (Debian: apt-get install chromium) or point CHROMIUM at it.'

/** Path of Chromium: the variable CHROMIUM, then PATH, then the usual places. Undefined when there is none. */
export function findChromium(env = process.env) {
  if (env.CHROMIUM) return isExecutable(env.CHROMIUM) ? env.CHROMIUM : undefined
  const places = [...(env.PATH ?? '').split(delimiter).filter((place) => place !== ''), ...MORE_PLACES]
  const names = process.platform === 'darwin' ? [...NAMES, 'Google Chrome'] : NAMES
  return names.flatMap((name) => places.map((place) => join(place, name))).find(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (findChromium() === undefined && process.argv.includes('--install')) installPackages('chromium')
  if (findChromium() === undefined) {
    console.error(chromiumAdvice)
    process.exitCode = 1
  }
}
