// What the demo, or the simulation, has done: newest first.

import type { Store } from '../store.ts'

const SHOWN = 40

export function StoryLog({ store: { notes } }: { readonly store: Store }) {
  if (notes.length === 0) return null
  return (
    <aside class="story" aria-label="What has been done">
      <h2>What has been done</h2>
      <ol aria-live="polite">
        {notes
          .slice(-SHOWN)
          .reverse()
          .map(({ text, tone, atMs }, at) => (
            <li key={`${atMs} ${text} ${notes.length - at}`} class={tone}>
              <time>{new Date(atMs).toISOString().slice(11, 23)}</time> {text}
            </li>
          ))}
      </ol>
    </aside>
  )
}
