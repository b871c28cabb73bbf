// A recording: played, stepped through, searched.

import { useEffect, useRef, useState } from 'preact/hooks'
import { loadFrames } from '../link.ts'
import { seconds } from '../logic/headline.ts'
import { type Move, Player } from '../logic/player.ts'
import type { Store } from '../store.ts'

const SPEEDS = [0.1, 0.5, 1, 5, 20] as const
const DRAW_MS = 50

export function ReplayBar({ store }: { readonly store: Store }) {
  const [player, setPlayer] = useState<Player | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [loaded, setLoaded] = useState(0)
  const [isPlaying, setPlaying] = useState(true)
  const [speed, setSpeed] = useState(1)
  const [, draw] = useState(0)
  const show = useRef((_: Move) => {})
  show.current = ({ isAnew, frames }) => {
    if (isAnew) store.reset('')
    for (const { message } of frames) store.apply(message)
    store.changed()
    draw((count) => count + 1)
  }
  useEffect(() => {
    loadFrames(setLoaded).then(
      (frames) => {
        const made = new Player(frames)
        store.setClock(() => made.nowMs)
        setPlayer(made)
        show.current(made.seek(made.startMs))
      },
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    )
  }, [])
  useEffect(() => {
    if (player === null || !isPlaying) return
    let lastMs = performance.now()
    const timer = window.setInterval(() => {
      const nowMs = performance.now()
      show.current(player.seek(player.nowMs + (nowMs - lastMs) * speed))
      lastMs = nowMs
      if (player.isAtEnd) setPlaying(false)
    }, DRAW_MS)
    return () => window.clearInterval(timer)
  }, [player, isPlaying, speed])
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const isTyping =
        event.target instanceof HTMLElement && /^(INPUT|BUTTON|A|SELECT|SUMMARY)$/.test(event.target.tagName)
      if (player === null || isTyping) return
      if (event.key === ' ') setPlaying((playing) => !playing)
      else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
        setPlaying(false)
        show.current(player.step(event.key === 'ArrowRight' ? 1 : -1))
      } else return
      event.preventDefault()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [player])
  if (problem !== null)
    return (
      <p class="trouble" role="alert">
        {problem}
      </p>
    )
  if (player === null) return <p role="status">Reading the recording: {loaded} frames …</p>
  const step = (direction: 1 | -1): void => {
    setPlaying(false)
    show.current(player.step(direction))
  }
  return (
    <section class="replay" aria-label="Recording">
      <button type="button" onClick={() => step(-1)} aria-label="One step back">
        ‹
      </button>
      <button
        type="button"
        class="play"
        onClick={() => {
          if (player.isAtEnd) show.current(player.seek(player.startMs))
          setPlaying(!isPlaying)
        }}
        aria-label={isPlaying ? 'Pause' : 'Play'}
      >
        {isPlaying ? '❚❚' : '▶'}
      </button>
      <button type="button" onClick={() => step(1)} aria-label="One step on">
        ›
      </button>
      <input
        type="range"
        aria-label="Moment"
        // The last frame, which says what was broken, is seldom at a whole millisecond.
        step="any"
        min={player.startMs}
        max={player.endMs}
        value={player.nowMs}
        onInput={({ currentTarget: { value } }) => show.current(player.seek(Number(value)))}
      />
      <output>
        {seconds(player.nowMs - player.startMs)} of {seconds(player.endMs - player.startMs)}
      </output>
      <label>
        Speed{' '}
        <select value={speed} onChange={({ currentTarget: { value } }) => setSpeed(Number(value))}>
          {SPEEDS.map((each) => (
            <option key={each} value={each}>
              {each}×
            </option>
          ))}
        </select>
      </label>
    </section>
  )
}
