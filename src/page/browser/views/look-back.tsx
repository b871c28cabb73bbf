// Looking back over the last ten minutes: one moment of the past instead of now.

import { seconds } from '../logic/headline.ts'
import type { Store } from '../store.ts'

const STEP_MS = 500
const MAX_BACK_MS = 10 * 60_000

export function LookBack({ store }: { readonly store: Store }) {
  const { nowMs, lookAtMs } = store
  const first = store.samples.all.reduce((least, { atMs }) => Math.min(least, atMs), nowMs)
  const backMs = Math.min(MAX_BACK_MS, Math.max(STEP_MS, nowMs - first))
  const agoMs = lookAtMs === null ? 0 : Math.max(0, nowMs - lookAtMs)
  return (
    <section class={`look-back ${lookAtMs === null ? '' : 'past'}`} aria-label="Looking back">
      <label>
        Look back
        <input
          type="range"
          min={-Math.round(backMs / STEP_MS)}
          max={0}
          value={-Math.round(agoMs / STEP_MS)}
          aria-valuetext={lookAtMs === null ? 'now' : `${seconds(agoMs)} ago`}
          onInput={({ currentTarget: { value } }) =>
            store.lookAt(Number(value) === 0 ? null : nowMs + Number(value) * STEP_MS)
          }
        />
      </label>
      {lookAtMs === null ? (
        <span>now</span>
      ) : (
        <>
          <strong>You see {seconds(agoMs)} ago.</strong>
          <button type="button" onClick={() => store.lookAt(null)}>
            Back to now
          </button>
        </>
      )}
    </section>
  )
}
