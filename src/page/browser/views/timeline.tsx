// What each member was, and when: a lane for each, and the elections with who voted what.

import { useState } from 'preact/hooks'
import { seconds } from '../logic/headline.ts'
import { type Election, electionsOf, type Lane, lanesOf, type Span } from '../logic/lanes.ts'
import type { Store } from '../store.ts'

const SPANS_MS = [10_000, 30_000, 120_000, 600_000] as const

export function TimelineView({ store }: { readonly store: Store }) {
  const [spanMs, setSpanMs] = useState<number>(SPANS_MS[1])
  const [term, setTerm] = useState<number | null>(null)
  const { entries } = store.model.timeline
  const toMs = store.nowMs
  const range = { fromMs: toMs - spanMs, toMs }
  const members = store.presentViews.map(({ id }) => id)
  const lanes = lanesOf(members, entries, store.samples.all, range)
  const elections = electionsOf(entries)
  const shown = elections.find((each) => each.term === term) ?? elections[0]
  return (
    <section aria-label="Timeline">
      <fieldset class="picker">
        <legend>How much time</legend>
        {SPANS_MS.map((each) => (
          <button key={each} type="button" aria-pressed={each === spanMs} onClick={() => setSpanMs(each)}>
            {each < 60_000 ? `${each / 1000} s` : `${each / 60_000} min`}
          </button>
        ))}
      </fieldset>
      <div class="lanes">
        {lanes.map((lane) => (
          <LaneRow key={lane.member} lane={lane} range={range} lookAtMs={store.lookAtMs} choose={setTerm} />
        ))}
        <div class="axis" aria-hidden="true">
          <span>{seconds(spanMs)} ago</span>
          <span>now</span>
        </div>
      </div>
      <h2>Elections</h2>
      {elections.length === 0 ? <p>None has been seen yet.</p> : null}
      <fieldset class="picker">
        <legend>Which election</legend>
        {elections.slice(0, 30).map((each) => (
          <button
            key={each.term}
            type="button"
            aria-pressed={each.term === shown?.term}
            onClick={() => setTerm(each.term)}
          >
            term {each.term}: {each.winner ?? 'nobody'}
          </button>
        ))}
      </fieldset>
      {shown === undefined ? null : <Votes election={shown} nowMs={toMs} />}
    </section>
  )
}

interface LaneProps {
  readonly lane: Lane
  readonly range: { readonly fromMs: number; readonly toMs: number }
  readonly lookAtMs: number | null
  readonly choose: (term: number) => void
}

function LaneRow({ lane: { member, spans }, range: { fromMs, toMs }, lookAtMs, choose }: LaneProps) {
  const share = (atMs: number): number => ((atMs - fromMs) / (toMs - fromMs)) * 100
  const titleOf = ({ what, term, reason }: Span): string =>
    `${member}: ${what}${term > 0 ? `, term ${term}` : ''}${reason === '' ? '' : `, ${reason}`}`
  return (
    <div class="lane">
      <span class="of">{member}</span>
      <div class="spans">
        {spans.map((span) => (
          <button
            key={`${span.fromMs} ${span.what}`}
            type="button"
            class={`span ${span.what}`}
            style={{ left: `${share(span.fromMs)}%`, width: `${share(span.toMs) - share(span.fromMs)}%` }}
            title={titleOf(span)}
            aria-label={titleOf(span)}
            onClick={() => choose(span.term)}
          >
            <span>
              {span.what}
              {span.term > 0 ? ` ${span.term}` : ''}
            </span>
          </button>
        ))}
        {lookAtMs === null ? null : (
          <span class="cursor" style={{ left: `${share(lookAtMs)}%` }} aria-hidden="true" />
        )}
      </div>
    </div>
  )
}

function Votes({
  election: { term, atMs, winner, ballots },
  nowMs,
}: {
  readonly election: Election
  readonly nowMs: number
}) {
  const rows = [...ballots].sort(
    (a, b) => Number(b.pre) - Number(a.pre) || a.candidate.localeCompare(b.candidate),
  )
  return (
    <div class="scroll">
      <table>
        <caption>
          Term {term}, {seconds(Math.max(0, nowMs - atMs))} ago:{' '}
          {winner === null ? 'nobody is known to have won' : `${winner} won`}
        </caption>
        <thead>
          <tr>
            <th scope="col">Round</th>
            <th scope="col">Candidate</th>
            <th scope="col">Asked</th>
            <th scope="col">Answer</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ candidate, voter, pre, granted, reason }) => (
            <tr key={`${candidate} ${voter} ${pre}`}>
              <td>{pre ? 'asks whether it could win' : 'asks for the vote'}</td>
              <td>{candidate}</td>
              <td>{voter}</td>
              <td>{granted ? '✓ yes' : '✗ no'}</td>
              <td>{reason === null ? 'the voter has not been heard' : <code>{reason}</code>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
