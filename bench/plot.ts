import { medianRatio } from './page.ts'
import type { ShapeResult } from './shapes/shapes.ts'

const LABEL_WIDTH = 140
const BAR_WIDTH = 460
const VALUE_WIDTH = 60
const ROW_HEIGHT = 24
const BAR_HEIGHT = 15
const TOP = 34
const BOTTOM = 10

/** Colours that are readable on white and on black. */
const TEXT = '#7d8590'
const BAR = '#3b82f6'
const GRID = '#7d859055'

/** Returns a plot of the ratio of each shape as SVG, for light and dark backgrounds. */
export function benchmarksPlot(shapes: readonly Pick<ShapeResult, 'name' | 'pairs'>[]): string {
  const ratios = shapes.map(medianRatio)
  const most = Math.max(1, ...ratios.filter(Number.isFinite))
  const step = most <= 5 ? 1 : most <= 20 ? 2 : Math.ceil(most / 10)
  const end = Math.ceil(most / step) * step
  const x = (ratio: number): number => LABEL_WIDTH + (ratio / end) * BAR_WIDTH
  const height = TOP + shapes.length * ROW_HEIGHT + BOTTOM
  const width = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH
  const grid = Array.from({ length: end / step + 1 }, (_, at) => at * step).map(
    (ratio) =>
      `<line x1="${x(ratio).toFixed(1)}" y1="${TOP - 6}" x2="${x(ratio).toFixed(1)}" y2="${height - BOTTOM}" stroke="${GRID}"/>` +
      `<text x="${x(ratio).toFixed(1)}" y="${TOP - 12}" text-anchor="middle">${ratio}</text>`,
  )
  const bars = shapes.map(({ name }, at) => {
    const ratio = ratios[at] ?? NaN
    const top = TOP + at * ROW_HEIGHT
    const middle = top + BAR_HEIGHT / 2 + 4
    return (
      `<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end">${escaped(name)}</text>` +
      `<rect x="${LABEL_WIDTH}" y="${top}" width="${(x(ratio) - LABEL_WIDTH).toFixed(1)}" height="${BAR_HEIGHT}" fill="${BAR}"/>` +
      `<text x="${(x(ratio) + 6).toFixed(1)}" y="${middle}">${ratio.toFixed(2)}</text>`
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="${TEXT}">
<title>CPU per record by shape, as a multiple of a kafkajs consumer that counts</title>
<text x="${LABEL_WIDTH - 8}" y="${TOP - 12}" text-anchor="end">× floor</text>
${[...grid, ...bars].join('\n')}
</svg>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
