import { h, type Child, type Described } from './vdom.ts'

/** Draws one part of the page under its title. */
export function part(
  id: string,
  title: string,
  ...children: readonly (Child | readonly Child[])[]
): Described {
  return h(
    'section',
    { key: id, class: `part ${id}`, 'aria-labelledby': `${id}-title` },
    h('h3', { id: `${id}-title` }, title),
    ...children,
  )
}

/** Draws the names of columns; those in `numbers` are aligned to the right, as their cells are. */
export function headRow(heads: readonly string[], numbers: readonly number[]): Described {
  const cells = heads.map((head, column) =>
    h('th', { scope: 'col', class: numbers.includes(column) ? 'number' : undefined }, head),
  )
  return h('thead', {}, h('tr', {}, cells))
}

/** Draws a table; the first column names the row. Columns in `numbers` are aligned to the right. */
export function grid(
  heads: readonly string[],
  rows: readonly { readonly key: string; readonly cells: readonly Child[] }[],
  numbers: readonly number[],
  label: string,
): Described {
  const classOf = (column: number): string | undefined => (numbers.includes(column) ? 'number' : undefined)
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    h(
      'table',
      {},
      headRow(heads, numbers),
      h(
        'tbody',
        {},
        rows.map(({ key, cells }) =>
          h(
            'tr',
            { key },
            cells.map((value, column) =>
              h(
                column === 0 ? 'th' : 'td',
                { class: classOf(column), scope: column === 0 ? 'row' : undefined },
                value,
              ),
            ),
          ),
        ),
      ),
    ),
  )
}
