// Finds programs that tests and benchmark need, and installs them from the system's own packages, where that can be done without
// asking.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Runs quietly; true when it worked. */
function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, args, { stdio: 'ignore', env }).status === 0
}

/** Tries apt-get as root or with a sudo that does not ask. */
export function installPackages(...names) {
  const isRoot = process.getuid?.() === 0
  if (!run('apt-get', ['--version']) || !(isRoot || run('sudo', ['-n', 'true']))) return
  const apt = (...args) => (isRoot ? run('apt-get', args) : run('sudo', ['-n', 'apt-get', ...args]))
  console.error(`Installing ${names.join(', ')} (apt-get install).`)
  const installed = () => apt('install', '-y', '--no-install-recommends', ...names)
  if (!installed()) {
    apt('update')
    installed()
  }
}

/** Path of a program: the one that is named, which has to be there, else the first of these names on PATH or in the places. */
export function findProgram(names, named, path = '', places = []) {
  if (named) return isExecutable(named) ? named : undefined
  const all = [...path.split(delimiter).filter((place) => place !== ''), ...places]
  return names.flatMap((name) => all.map((place) => join(place, name))).find(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
