// What views share: to be drawn anew when the store has changed, and where the address says that one is.

import { useEffect, useState } from 'preact/hooks'
import type { Store } from './store.ts'

/** Draws the component anew after each change. */
export function useStore(store: Store): void {
  const [, draw] = useState(0)
  useEffect(() => store.on(() => draw((count) => count + 1)), [store])
}

/** Draws the component anew so often, for what moves by itself. */
export function useTick(everyMs: number): void {
  const [, draw] = useState(0)
  useEffect(() => {
    const timer = window.setInterval(() => draw((count) => count + 1), everyMs)
    return () => window.clearInterval(timer)
  }, [everyMs])
}

export interface Route {
  readonly view: string
  readonly group: string
  readonly member: string
}

/** `#/charts/demo/n2` */
export function routeOf(hash: string): Route {
  const [view = '', group = '', member = ''] = hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent)
  return { view, group, member }
}

export function hashOf({ view, group, member }: Route): string {
  return `#/${[view, group, member].map(encodeURIComponent).join('/').replace(/\/+$/, '')}`
}

export function useRoute(): readonly [Route, (next: Partial<Route>) => void] {
  const [route, setRoute] = useState(() => routeOf(location.hash))
  useEffect(() => {
    const changed = (): void => setRoute(routeOf(location.hash))
    window.addEventListener('hashchange', changed)
    return () => window.removeEventListener('hashchange', changed)
  }, [])
  const go = (next: Partial<Route>): void => {
    location.hash = hashOf({ ...route, ...next })
  }
  return [route, go]
}
