import { clock, count, DASH, duration, percent, short, sizeText } from '../../console/format.ts'
import type { ConsoleSnapshot, Series, TopicDetail, TopicOverview } from '../../console/snapshot.ts'
import { toOneLine } from '../output.ts'

/** Describes the window that a snapshot is drawn for. */
export interface Window {
  readonly columns: number
  /** Lines beyond it are left out; absent for all of them. */
  readonly rows?: number
  /** Name of the chosen topic; the detail of the snapshot is that of another one until the next snapshot. */
  readonly selected: string | undefined
  readonly hasColors: boolean
}

type Paint = 'bold' | 'quiet' | 'well' | 'ill' | 'stopped'

const CODES: Readonly<Record<Paint, string>> = { bold: '1', quiet: '2', well: '36', ill: '33', stopped: '31' }
const BLOCKS = '▁▂▃▄▅▆▇█'
const SPARK_WIDTH = 12
const LINES_MAX = 10_000

/**
 * Returns the lines that show a snapshot: the sentence first, then the topics, then the chosen topic. What is unknown is a
 * dash, never 0. Control characters of names and messages are escaped.
 */
export function renderTop(snapshot: ConsoleSnapshot, window: Window): readonly string[] {
  const screen = new Screen(window)
  sentence(screen, snapshot)
  screen.add('')
  topics(screen, snapshot, window.selected ?? snapshot.detail?.name)
  const { detail } = snapshot
  const overview = snapshot.topics.find(({ name }) => name === detail?.name)
  if (detail !== null && overview !== undefined) topic(screen, detail, overview, snapshot.atMs)
  return screen.lines
}

/** Draws values as blocks of eight heights; a value that is unknown is a blank. */
export function sparkText({ values }: Series, width = SPARK_WIDTH): string {
  const size = Math.max(1, Math.ceil(values.length / width))
  const parts = Array.from({ length: Math.ceil(values.length / size) }, (_, index) => {
    const known = values.slice(index * size, (index + 1) * size).filter((value) => value !== null)
    return known.length === 0 ? null : Math.max(...known)
  })
  const max = Math.max(1, ...parts.filter((value) => value !== null))
  return parts
    .map((value) => (value === null ? ' ' : BLOCKS[Math.min(7, Math.floor((value / max) * 7.99))]))
    .join('')
    .padEnd(width)
}

/** Collects lines, each cut to the width of the window. */
class Screen {
  readonly lines: string[] = []
  readonly #window: Window

  constructor(window: Window) {
    this.#window = window
  }

  /** Adds a line of texts, each with its paint or none. */
  add(...parts: readonly (string | readonly [Paint, string])[]): void {
    const { columns, rows = LINES_MAX, hasColors } = this.#window
    if (this.lines.length >= rows) return
    let left = columns
    let line = ''
    for (const part of parts) {
      const [paint, text] = typeof part === 'string' ? [undefined, part] : part
      const shown = [...toOneLine(text, Infinity)].slice(0, left).join('')
      left -= [...shown].length
      line +=
        paint === undefined || !hasColors || shown === '' ? shown : `\u001b[${CODES[paint]}m${shown}\u001b[0m`
    }
    this.lines.push(line.trimEnd())
  }

  title(text: string): void {
    this.add('')
    this.add(['quiet', text])
  }
}

function sentence(screen: Screen, { headline, servers, atMs, memory, version }: ConsoleSnapshot): void {
  const paint = { healthy: 'well', degraded: 'ill', stopped: 'stopped' } as const
  screen.add([paint[headline.level], headline.sentence])
  if (headline.sinceMs !== undefined)
    screen.add(`since ${clock(headline.sinceMs, atMs)}, for ${duration(atMs - headline.sinceMs)}`)
  if (headline.next !== undefined) screen.add(['quiet', 'next   '], headline.next)
  if (headline.code !== undefined)
    screen.add(['quiet', 'guide  '], `${headline.code} ${headline.guideUrl ?? ''}`)
  for (const server of servers)
    screen.add(['quiet', 'server '], `${server.name} ${server.state} since ${clock(server.sinceMs, atMs)}`)
  const budget = memory.heldBytesMax === null ? '' : ` of ${sizeText(memory.heldBytesMax)}`
  screen.add([
    'quiet',
    `kafka-delta ${version} · ${sizeText(memory.rssBytes)} resident · ${sizeText(memory.heldBytes)}${budget} held`,
  ])
}

function topics(screen: Screen, { topics: all }: ConsoleSnapshot, selected: string | undefined): void {
  const width = Math.min(28, Math.max(5, ...all.map(({ topic: name }) => toOneLine(name, Infinity).length)))
  screen.add([
    'quiet',
    `  ${'TOPIC'.padEnd(width)} ${'STATE'.padEnd(10)} ${'FRESH'.padStart(11)} ${'LAG'.padStart(6)} ${'OVER TIME'.padEnd(SPARK_WIDTH)} ${'TREND'.padEnd(10)} RATE`,
  ])
  if (all.length === 0) screen.add('  no topic runs yet')
  for (const each of all) {
    const isSelected = each.name === selected
    const name = toOneLine(each.topic, Infinity).slice(0, width).padEnd(width)
    const paint = each.isHealthy ? 'well' : each.state === 'failed' ? 'stopped' : 'ill'
    const numbers = ` ${duration(each.freshnessMs).padStart(11)} ${short(each.lag).padStart(6)} `
    const trend = (each.clearMs === null ? (each.trend ?? DASH) : `-${duration(each.clearMs)}`).padEnd(10)
    screen.add(
      `${isSelected ? '›' : ' '} `,
      isSelected ? ['bold', name] : name,
      ' ',
      [paint, each.state.padEnd(10)],
      numbers,
      ['well', sparkText(each.lagSeries)],
      ` ${trend} ${short(each.recordsPerS)}/s`,
    )
  }
}

function topic(screen: Screen, detail: TopicDetail, overview: TopicOverview, nowMs: number): void {
  screen.add('')
  screen.add(['bold', overview.topic], ['quiet', ` → ${overview.table}`])
  if (overview.reason !== null) screen.add(overview.reason)
  screen.add(
    `held ${sizeText(overview.heldBytes)} of ${sizeText(overview.heldBytesMax)} · held back by ${overview.bottleneck ?? 'nothing'} · ${count(detail.rows)} rows · ${count(detail.deadLetters)} dead letters · ${detail.restarts} restarts`,
  )
  screen.title('partition      lag  over time     behind')
  for (const each of detail.partitions)
    screen.add(
      `${String(each.partition).padStart(9)} ${short(each.lag).padStart(8)}  `,
      ['well', sparkText(each.lagSeries)],
      `  ${duration(each.lagMs).padEnd(10)} ${each.unreadable ?? each.trend ?? DASH}`,
    )
  screen.title('stage            busy  held')
  for (const { stage, busy, held } of detail.stages)
    screen.add(
      `${stage.padEnd(14)} ${percent(busy).padStart(6)} ${percent(held).padStart(5)} `,
      ['well', '█'.repeat(Math.round(busy * 30))],
      ['quiet', '░'.repeat(Math.round(held * 30))],
    )
  upkeep(screen, detail, nowMs)
}

function upkeep(screen: Screen, detail: TopicDetail, nowMs: number): void {
  screen.title('version  at           rows  dead  files      size     took  attempts  conflicts')
  for (const each of detail.commits.slice(0, 8))
    screen.add(
      `${each.version.padStart(7)}  ${clock(each.atMs, nowMs)} ${short(each.rows).padStart(8)} ${short(each.deadLetters).padStart(5)} ${String(each.files).padStart(6)} ${sizeText(each.bytes).padStart(9)} ${duration(each.durationMs).padStart(8)} ${String(each.attempts).padStart(9)} ${String(each.conflicts).padStart(10)}`,
    )
  if (detail.deadLetterGroups.length > 0) screen.title('dead letters')
  for (const { count: letters, reason, cause, replayCommand } of detail.deadLetterGroups) {
    screen.add(['bold', `${count(letters)} × ${reason} `], cause)
    screen.add(`  ${replayCommand}`)
  }
  const { group, tableHealth: table } = detail
  screen.title(`group ${group.groupId}`)
  for (const { atMs, text } of group.events.slice(0, 5)) screen.add(`${clock(atMs, nowMs)} ${text}`)
  if (table !== null) {
    screen.title(`table, version ${table.version}`)
    screen.add(
      `${count(table.files)} files, ${sizeText(table.bytes)}, ${percent(table.smallShare)} small · checkpoint ${table.checkpointVersion ?? 'none'} · optimized ${clock(table.lastOptimizeAtMs, nowMs)} · vacuumed ${clock(table.lastVacuumAtMs, nowMs)}`,
    )
  }
  if (detail.flushes.length > 0) screen.title('flushes')
  const longestMs = Math.max(1, ...detail.flushes.map(({ totalMs }) => totalMs))
  for (const flush of detail.flushes.slice(0, 6)) {
    const slowest = [...flush.stages].sort((a, b) => b.ms - a.ms).slice(0, 3)
    screen.add(
      `${flush.name.slice(-18).padEnd(18)} `,
      [
        flush.outcome === 'failed' ? 'stopped' : 'well',
        '█'.repeat(Math.max(1, Math.round((flush.totalMs / longestMs) * 16))).padEnd(16),
      ],
      ` ${duration(flush.totalMs)}: ${slowest.map(({ stage, ms }) => `${stage} ${duration(ms)}`).join(', ')}`,
    )
  }
}
