// A table whose columns can be sorted by, with the keyboard as well.

import { useState } from 'preact/hooks'
import { nextOrder, type Order, sorted } from '../logic/table.ts'

export type Row = Readonly<Record<string, string | number | null>> & { readonly key: string }

export interface Column {
  readonly id: string
  readonly title: string
  readonly isNumber?: boolean
}

export interface SortableProps {
  readonly caption: string
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  readonly onOpen?: (key: string) => void
}

export function Sortable({ caption, columns, rows, onOpen }: SortableProps) {
  const [order, setOrder] = useState<Order<string>>({ by: columns[0]?.id ?? '', isDown: false })
  return (
    <div class="scroll">
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ id, title, isNumber }) => (
              <th
                key={id}
                scope="col"
                class={isNumber ? 'number' : ''}
                aria-sort={order.by !== id ? 'none' : order.isDown ? 'descending' : 'ascending'}
              >
                <button type="button" onClick={() => setOrder(nextOrder(order, id))}>
                  {title} <span aria-hidden="true">{order.by !== id ? '' : order.isDown ? '↓' : '↑'}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted(rows, order).map((row) => (
            <tr key={row.key}>
              {columns.map(({ id, isNumber }, at) => (
                <td key={id} class={isNumber ? 'number' : ''}>
                  {at === 0 && onOpen !== undefined ? (
                    <button type="button" class="link" onClick={() => onOpen(row.key)}>
                      {row[id]}
                    </button>
                  ) : (
                    (row[id] ?? '–')
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
