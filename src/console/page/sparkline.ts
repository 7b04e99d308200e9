import type { Series } from '../snapshot.ts'
import { duration, short } from '../format.ts'
import { h, type Described } from './vdom.ts'

const WIDTH = 120
const HEIGHT = 24

/** Returns the lines of a series: one for each run of known values, since what is unknown is not 0. */
export function pathOf({ values }: Series, width = WIDTH, height = HEIGHT): string {
  const known = values.filter((value) => value !== null)
  const max = Math.max(1, ...known)
  const step = width / Math.max(1, values.length - 1)
  let path = ''
  let isDrawing = false
  values.forEach((value, index) => {
    if (value === null) {
      isDrawing = false
      return
    }
    const x = (index * step).toFixed(1)
    const y = (height - 1.5 - (value / max) * (height - 3)).toFixed(1)
    // A value between unknown ones is a dot.
    const isAlone = !isDrawing && (values[index + 1] ?? null) === null
    path += isDrawing ? `L${x} ${y}` : `M${x} ${y}${isAlone ? 'h.01' : ''}`
    isDrawing = true
  })
  return path
}

/** Draws a series; screen readers get its first and last value in words. */
export function sparkline(
  series: Series,
  what: string,
  format: (value: number | null) => string = short,
): Described {
  const last = series.values.at(-1) ?? null
  const max = series.values.reduce<number | null>(
    (highest, value) => (value === null ? highest : Math.max(highest ?? 0, value)),
    null,
  )
  const over = duration(series.everyMs * Math.max(0, series.values.length - 1))
  const text = `${what}: ${last === null ? 'unknown' : format(last)} now, at most ${max === null ? 'unknown' : format(max)} in ${over}`
  return h(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-label': text,
      preserveAspectRatio: 'none',
    },
    h('title', {}, text),
    h('path', { d: pathOf(series) }),
  )
}
