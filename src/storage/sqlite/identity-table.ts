// The identity of each group's files, drawn when the group is first opened (rules/identity.ts). A record that is missing or
// does not fit its checksum is replaced by a new one: files that cannot say whose they are count as other files.

import type { Database, Statement } from 'better-sqlite3'
import type { Identity } from '../../rules/types.ts'
import { drawIdentity } from '../identity.ts'
import { recordChecksum } from './checksum.ts'

type Row = [group: number, identity: Identity, checksum: number]

export class IdentityTable {
  readonly #known = new Map<number, Identity>()
  readonly #insert: Statement<Row>

  constructor(db: Database) {
    this.#insert = db.prepare('REPLACE INTO identities VALUES (?, ?, ?)')
    for (const [group, identity, checksum] of db
      .prepare<[], Row>('SELECT * FROM identities')
      .raw()
      .iterate()) {
      if (recordChecksum([group, identity]) === checksum) this.#known.set(group, identity)
    }
  }

  /** Draws one where there is none. To be called within a transaction. */
  ensure(group: number): void {
    if (this.#known.has(group)) return
    const identity = drawIdentity()
    this.#insert.run(group, identity, recordChecksum([group, identity]))
    this.#known.set(group, identity)
  }

  of(group: number): Identity {
    return this.#known.get(group) ?? 0
  }
}
