// The frame of the page: what goes on in one sentence, the views, and where to look back.

import { useEffect, useMemo } from 'preact/hooks'
import { useRoute, useStore, useTick } from './hooks.ts'
import { follow } from './link.ts'
import { headlineOf } from './logic/headline.ts'
import { Store } from './store.ts'
import { ChartsView } from './views/charts.tsx'
import { GroupView } from './views/group.tsx'
import { GroupsView } from './views/groups.tsx'
import { InstancesView } from './views/instances.tsx'
import { LookBack } from './views/look-back.tsx'
import { NumbersView } from './views/numbers.tsx'
import { ReplayBar } from './views/replay.tsx'
import { StoryLog } from './views/story.tsx'
import { ThemeButton } from './views/theme.tsx'
import { TimelineView } from './views/timeline.tsx'

const VIEWS = [
  { id: 'group', title: 'Group' },
  { id: 'charts', title: 'Charts' },
  { id: 'timeline', title: 'Timeline' },
  { id: 'numbers', title: 'Numbers' },
] as const
/** Where there is a replicated machine. */
const INSTANCES = { id: 'instances', title: 'Instances' } as const

export function App() {
  const store = useMemo(() => new Store(), [])
  const [route, go] = useRoute()
  useEffect(() => follow(store, route.group), [store, route.group])
  useStore(store)
  // Times and lags move on though nothing is heard.
  useTick(500)
  const { hello, groups } = store
  const isList = route.view === 'groups' || (hello !== null && hello.group === '' && hello.source === 'bus')
  const hasInstances = [...store.model.members.values()].some(({ instances }) => instances !== null)
  const views = hasInstances ? [...VIEWS, INSTANCES] : VIEWS
  const view = isList ? 'groups' : views.some(({ id }) => id === route.view) ? route.view : 'group'
  const tabs = [
    ...views,
    ...(groups !== null && groups.length > 1
      ? [{ id: 'groups', title: `All groups (${groups.length})` }]
      : []),
  ]
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        To the view
      </button>
      <header>
        <div class="brand">
          <strong>Quorate</strong>{' '}
          <span class="of">
            {hello === null ? '' : hello.source === 'replay' ? hello.title : hello.group}
          </span>
          <ThemeButton />
        </div>
        <Trouble store={store} />
        {isList ? null : <Sentence store={store} />}
        <nav aria-label="Views">
          {tabs.map(({ id, title }) => (
            <a
              key={id}
              href={`#/${id}/${encodeURIComponent(route.group)}`}
              aria-current={view === id ? 'page' : undefined}
            >
              {title}
            </a>
          ))}
        </nav>
      </header>
      {hello?.source === 'replay' ? <ReplayBar store={store} /> : null}
      <main id="main" tabIndex={-1}>
        {view === 'group' ? <GroupView store={store} go={go} /> : null}
        {view === 'charts' ? <ChartsView store={store} member={route.member} go={go} /> : null}
        {view === 'timeline' ? <TimelineView store={store} /> : null}
        {view === 'numbers' ? <NumbersView store={store} /> : null}
        {view === 'instances' ? <InstancesView store={store} chosen={route.member} go={go} /> : null}
        {view === 'groups' ? <GroupsView store={store} go={go} /> : null}
      </main>
      {isList || hello?.source === 'replay' || (view !== 'group' && view !== 'timeline') ? null : (
        <LookBack store={store} />
      )}
      {isList ? null : <StoryLog store={store} />}
    </>
  )
}

function Sentence({ store }: { readonly store: Store }) {
  const { text, tone } = headlineOf(store.presentViews, store.story, store.nowMs)
  return (
    <p class={`sentence ${tone}`} role="status" aria-live="polite">
      {text}
    </p>
  )
}

function Trouble({ store }: { readonly store: Store }) {
  const trouble = store.isConnected || store.hello === null ? store.model.problem : LOST
  return trouble === null ? null : (
    <p class="trouble" role="alert">
      {trouble}
    </p>
  )
}

const LOST =
  'The program that serves this page is not heard. What you see is from before; it goes on by itself when the program is back.'
