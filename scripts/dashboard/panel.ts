/** Describes one query of a panel. */
export interface Query {
  readonly expr: string
  /** Legend of its lines; labels in double braces. */
  readonly legend: string
  readonly format?: 'heatmap'
  /** True for a query of the current value only, for panels with a single number. */
  readonly isInstant?: boolean
}

/** Describes a threshold: the colour of values from `from` on. */
export interface Threshold {
  readonly from: number
  readonly color: 'yellow' | 'orange' | 'red' | 'green'
}

/** Describes a panel, without its position. */
export interface Panel {
  readonly kind: 'stat' | 'timeseries' | 'state-timeline' | 'heatmap'
  readonly title: string
  readonly description: string
  /** Grafana's name of the unit, such as `s`, `bytes`, `short`. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** Width in columns, of 24. The rest of a line stays empty if the next panel does not fit. */
  readonly width: number
  readonly thresholds?: readonly Threshold[]
  readonly isStacked?: boolean
  /** Texts and colours for whole numbers, for states. */
  readonly words?: Readonly<Record<number, { readonly text: string; readonly color: string }>>
  /** Number of decimal places. */
  readonly decimals?: number
}

/** Describes a heading and the panels below it. */
export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }
const HEIGHTS: Readonly<Record<Panel['kind'], number>> = {
  stat: 4,
  timeseries: 8,
  'state-timeline': 7,
  heatmap: 8,
}
const COLUMNS = 24

/** Assigns an id and a position to every row and panel, from top to bottom; a line is as high as its highest panel. */
export function laidOut(rows: readonly Row[]): object[] {
  let id = 0
  let y = 0
  return rows.flatMap(({ title, panels }) => {
    const place = (height: number, width: number, x: number): object => ({ h: height, w: width, x, y })
    const placed: object[] = [
      { id: ++id, type: 'row', title, collapsed: false, panels: [], gridPos: place(1, COLUMNS, 0) },
    ]
    y += 1
    let x = 0
    let lineHeight = 0
    for (const panel of panels) {
      if (x + panel.width > COLUMNS) {
        y += lineHeight
        x = 0
        lineHeight = 0
      }
      const height = HEIGHTS[panel.kind]
      placed.push({ id: ++id, gridPos: place(height, panel.width, x), ...panelOf(panel) })
      x += panel.width
      lineHeight = Math.max(lineHeight, height)
    }
    y += lineHeight
    return placed
  })
}

function panelOf(panel: Panel): object {
  const { kind, title, description, unit, queries, thresholds = [], words = {}, decimals } = panel
  return {
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    targets: queries.map(targetOf),
    fieldConfig: {
      defaults: {
        unit,
        ...(decimals === undefined ? {} : { decimals }),
        ...(kind === 'timeseries' ? { min: 0 } : {}),
        color: { mode: kind === 'timeseries' ? 'palette-classic' : 'thresholds' },
        thresholds: {
          mode: 'absolute',
          steps: [
            { color: 'green', value: null },
            ...thresholds.map(({ from, color }) => ({ color, value: from })),
          ],
        },
        mappings: Object.keys(words).length === 0 ? [] : [{ type: 'value', options: words }],
        ...customOf(panel),
      },
      overrides: [],
    },
    options: optionsOf(kind),
  }
}

function targetOf({ expr, legend, format, isInstant = false }: Query, index: number): object {
  return {
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource: DATASOURCE,
    editorMode: 'code',
    expr,
    legendFormat: legend,
    range: !isInstant,
    instant: isInstant,
    ...(format === undefined ? {} : { format }),
  }
}

function customOf({ kind, isStacked = false, thresholds = [] }: Panel): object {
  if (kind !== 'timeseries') return {}
  return {
    custom: {
      drawStyle: 'line',
      lineWidth: 1,
      fillOpacity: isStacked ? 40 : 10,
      showPoints: 'never',
      spanNulls: false,
      stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
      thresholdsStyle: { mode: thresholds.length === 0 ? 'off' : 'line' },
    },
  }
}

function optionsOf(kind: Panel['kind']): object {
  const tooltip = { mode: 'multi', sort: 'desc' }
  switch (kind) {
    case 'stat':
      return {
        colorMode: 'background',
        graphMode: 'area',
        justifyMode: 'auto',
        orientation: 'auto',
        textMode: 'auto',
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      }
    case 'timeseries':
      return { legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'] }, tooltip }
    case 'state-timeline':
      return {
        legend: { displayMode: 'list', placement: 'bottom' },
        mergeValues: true,
        rowHeight: 0.9,
        showValue: 'auto',
        tooltip: { mode: 'single' },
      }
    case 'heatmap':
      return {
        calculate: false,
        cellGap: 1,
        color: { mode: 'scheme', scheme: 'Oranges', steps: 64 },
        tooltip: { mode: 'single', yHistogram: false },
        yAxis: { unit: 'bytes' },
      }
  }
}
