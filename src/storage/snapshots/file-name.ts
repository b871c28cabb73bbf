// What a file of a snapshot may be called. Names come from users and from other members, and may one day become paths
// (an export): none may lead out of its snapshot.

import { MAX_FILE_NAME_LENGTH } from '../snapshot-store.ts'

/** The reason why a file cannot be called that; null: it can. */
export function refuseFileName(name: string): string | null {
  const reason = faultOf(name)
  return reason === null ? null : `a file of a snapshot cannot be called ${quoted(name)}: ${reason}`
}

function faultOf(name: string): string | null {
  if (name.length === 0) return 'the name is empty'
  if (name.length > MAX_FILE_NAME_LENGTH) return `a name has at most ${MAX_FILE_NAME_LENGTH} characters`
  // A half of a surrogate pair becomes another character on its way to the disk.
  if (!name.isWellFormed()) return 'it is not well-formed Unicode'
  if ([...name].some(isControl)) return 'control characters are not allowed'
  if (name.includes('\\')) return 'the parts of a name are divided by /'
  if (/^[A-Za-z]:/.test(name)) return 'a name is relative, and begins with no drive'
  const parts = name.split('/')
  if (parts.includes('')) return 'a part of the name is empty'
  return parts.includes('.') || parts.includes('..') ? 'no part of a name may be . or ..' : null
}

function isControl(character: string): boolean {
  return character < ' ' || character === '\x7f'
}

function quoted(name: string): string {
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name
  return JSON.stringify(shown)
}
