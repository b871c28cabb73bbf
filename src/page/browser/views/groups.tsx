// All groups on the bus: one is chosen.

import { useState } from 'preact/hooks'
import type { Route } from '../hooks.ts'
import type { Store } from '../store.ts'
import { Sortable } from './sortable.tsx'

const COLUMNS = [
  { id: 'group', title: 'Group' },
  { id: 'leader', title: 'Leader' },
  { id: 'members', title: 'Members heard', isNumber: true },
  { id: 'term', title: 'Term', isNumber: true },
  { id: 'commitIndex', title: 'Committed', isNumber: true },
  { id: 'lag', title: 'Furthest behind', isNumber: true },
]

export interface GroupsProps {
  readonly store: Store
  readonly go: (next: Partial<Route>) => void
}

export function GroupsView({ store: { groups }, go }: GroupsProps) {
  const [wanted, setWanted] = useState('')
  if (groups === null) return <p>Looking for groups …</p>
  const shown = groups.filter(({ group }) => group.toLowerCase().includes(wanted.toLowerCase()))
  return (
    <section aria-label="All groups">
      <label class="filter">
        Only groups with{' '}
        <input type="search" value={wanted} onInput={({ currentTarget }) => setWanted(currentTarget.value)} />{' '}
        in their name
      </label>
      {groups.length === 0 ? <p>No group answers on this bus yet.</p> : null}
      <Sortable
        caption={`${shown.length} of ${groups.length} groups`}
        columns={COLUMNS}
        rows={shown.map((each) => ({ ...each, leader: each.leader ?? 'nobody', key: each.group }))}
        onOpen={(group) => go({ view: 'group', group, member: '' })}
      />
    </section>
  )
}
