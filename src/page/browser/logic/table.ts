// Tables that sort: by any column, up and down.

export interface Order<K extends string> {
  readonly by: K
  readonly isDown: boolean
}

export function sorted<T extends Readonly<Record<K, string | number | null>>, K extends string>(
  rows: readonly T[],
  { by, isDown }: Order<K>,
): readonly T[] {
  const sign = isDown ? -1 : 1
  return [...rows].sort((a, b) => sign * compare(a[by], b[by]))
}

/** What is not known comes last when others come first. */
function compare(a: string | number | null, b: string | number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), undefined, { numeric: true })
}

/** What a click on a column does. */
export function nextOrder<K extends string>(order: Order<K>, by: K): Order<K> {
  return { by, isDown: order.by === by ? !order.isDown : false }
}
