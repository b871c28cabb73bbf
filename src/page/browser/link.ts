// The way to the page's server: the stream, which comes back by itself, and commands for the stage.

import type { FeedInstance } from '../../protocol/feed-protocol.ts'
import type { PageMessage, ReplayFrame, StageCommand } from '../page-protocol.ts'
import type { Store } from './store.ts'

const RETRY_MS = 1000

/** Follows one group; empty: whichever the server chooses. Returns the function that ends it. */
export function follow(store: Store, group: string): () => void {
  let source: EventSource | null = null
  let timer: number | undefined
  let isOver = false
  const open = (): void => {
    if (isOver) return
    source = new EventSource(`stream?group=${encodeURIComponent(group)}`)
    source.onopen = () => store.setConnected(true)
    source.onmessage = ({ data }) => {
      const message: PageMessage = JSON.parse(String(data))
      store.apply(message)
    }
    source.onerror = () => {
      store.setConnected(false)
      // A refusal ends it for good, as far as the browser is concerned: there may be room again later.
      if (source?.readyState !== EventSource.CLOSED) return
      timer = window.setTimeout(open, RETRY_MS)
    }
  }
  open()
  return () => {
    isOver = true
    window.clearTimeout(timer)
    source?.close()
  }
}

/** Null: it is done; else why it is not. */
export async function act(command: StageCommand): Promise<string | null> {
  try {
    const answer = await fetch('control', { method: 'POST', body: JSON.stringify(command) })
    return answer.ok ? null : (await answer.text()).trim()
  } catch {
    return 'The demo does not answer: has it ended?'
  }
}

/** Instances whose keys begin like this; none when nobody answers. */
export async function findInstances(group: string, find: string): Promise<readonly FeedInstance[]> {
  try {
    const answer = await fetch(`instances?${new URLSearchParams({ group, find })}`)
    return answer.ok ? await answer.json() : []
  } catch {
    return []
  }
}

/** @param progress hears how many frames there are so far */
export async function loadFrames(progress: (frames: number) => void): Promise<readonly ReplayFrame[]> {
  const answer = await fetch('replay')
  if (!answer.ok || answer.body === null)
    throw new Error(`The recording cannot be read: ${await answer.text()}`)
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  const frames: ReplayFrame[] = []
  let rest = ''
  for (;;) {
    const { done, value = '' } = await reader.read()
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) frames.push(JSON.parse(line))
    progress(frames.length)
    if (done) return frames
  }
}
