import type {
  CommitView,
  DeadLetterGroup,
  FlushView,
  StageView,
  TopicDetail,
  TopicOverview,
} from '../snapshot.ts'
import { sizeText, clock, count, duration, percent, short } from '../format.ts'
import { grid, part } from './part.ts'
import { h, type Described } from './vdom.ts'

/** Draws how the stages spent the last minute, and which one holds the others back. */
export function stages({ stages: all }: TopicDetail, { bottleneck }: TopicOverview): Described {
  return part(
    'stages',
    'What holds it back',
    h(
      'p',
      {},
      bottleneck === null
        ? 'Nothing: no stage was busy all the time in the last minute.'
        : h('span', {}, h('strong', {}, bottleneck), ' is busy, and the stages before it wait for it.'),
    ),
    all.length === 0
      ? h('p', { class: 'quiet' }, 'No flush yet.')
      : h(
          'ul',
          { class: 'bars' },
          all.map((stage) => bar(stage, stage.stage === bottleneck)),
        ),
  )
}

function bar({ stage, busy, held, idle }: StageView, isBottleneck: boolean): Described {
  const text = `${stage}: ${percent(busy)} busy, ${percent(held)} waiting for the next stage, ${percent(idle)} idle`
  return h(
    'li',
    { key: stage, class: isBottleneck ? 'bottleneck' : undefined, title: text },
    h('span', { class: 'name' }, stage),
    h(
      'svg',
      { viewBox: '0 0 100 8', preserveAspectRatio: 'none', role: 'img', 'aria-label': text },
      h('rect', { class: 'busy', x: 0, y: 0, width: (busy * 100).toFixed(1), height: 8 }),
      h('rect', {
        class: 'held',
        x: (busy * 100).toFixed(1),
        y: 0,
        width: (held * 100).toFixed(1),
        height: 8,
      }),
    ),
    h('span', { class: 'number' }, percent(busy)),
  )
}

/** Draws the last commits. */
export function commits({ commits: all }: TopicDetail, nowMs: number): Described {
  const heads = ['Version', 'At', 'Rows', 'Dead', 'Files', 'Size', 'Took', 'Attempts', 'Conflicts', 'By']
  const cells = (each: CommitView) => [
    each.version,
    clock(each.atMs, nowMs),
    count(each.rows),
    count(each.deadLetters),
    `${count(each.files)}${each.schemaChanged ? ' + columns' : ''}`,
    sizeText(each.bytes),
    duration(each.durationMs),
    String(each.attempts),
    String(each.conflicts),
    each.by,
  ]
  return part(
    'commits',
    'Last commits',
    all.length === 0
      ? h('p', { class: 'quiet' }, 'This process has not committed yet.')
      : grid(
          heads,
          all.slice(0, 12).map((each) => ({ key: each.version, cells: cells(each) })),
          [0, 2, 3, 4, 5, 6, 7, 8],
          'Commits, as a table',
        ),
  )
}

/** Draws the causes of dead letters, each with the command that replays them. */
export function deadLetters({ deadLetterGroups, deadLetters: total }: TopicDetail, nowMs: number): Described {
  return part(
    'letters',
    `Dead letters: ${count(total)}`,
    deadLetterGroups.length === 0
      ? h('p', { class: 'quiet' }, 'None since the start of this process.')
      : h(
          'ul',
          { class: 'letters' },
          deadLetterGroups.map((group) => letter(group, nowMs)),
        ),
  )
}

function letter(
  { reason, cause, count: letters, lastAtMs, sample, replayCommand }: DeadLetterGroup,
  nowMs: number,
): Described {
  return h(
    'li',
    { key: `${reason} ${cause}` },
    h('p', {}, h('strong', {}, `${count(letters)} × ${reason}`), ` ${cause}`),
    h(
      'p',
      { class: 'quiet' },
      `last ${clock(lastAtMs, nowMs)}; for example partition ${sample.partition}, offset ${count(sample.offset)}: ${sample.message}`,
    ),
    h('p', {}, h('code', {}, replayCommand)),
  )
}

const FLUSHES_SHOWN = 8

/** Draws the last flushes on a time line, stage after stage. */
export function flushes({ flushes: all }: TopicDetail, nowMs: number): Described {
  const shown = all.slice(0, FLUSHES_SHOWN)
  const longestMs = Math.max(1, ...shown.map(({ totalMs }) => totalMs))
  return part(
    'flushes',
    'Last flushes',
    shown.length === 0
      ? h('p', { class: 'quiet' }, 'No flush yet.')
      : h(
          'ul',
          { class: 'flushes' },
          shown.map((flush) => waterfall(flush, longestMs, nowMs)),
        ),
  )
}

function waterfall(flush: FlushView, longestMs: number, nowMs: number): Described {
  const { stages: parts, totalMs, outcome, records, traceUrl, name } = flush
  const text = parts.map(({ stage, ms }) => `${stage} ${duration(ms)}`).join(', ')
  let x = 0
  const scale = 100 / longestMs
  const bars = parts.map(({ stage, ms }, index) => {
    const rect = h(
      'rect',
      {
        class: `stage stage-${stage === 'buffer' || stage === 'wait' ? 'idle' : index % 6}`,
        x: (x * scale).toFixed(2),
        y: 0,
        width: Math.max(0.15, ms * scale).toFixed(2),
        height: 10,
      },
      h('title', {}, `${stage} ${duration(ms)}`),
    )
    x += ms
    return rect
  })
  return h(
    'li',
    { key: name, class: outcome },
    h(
      'p',
      {},
      h(
        'span',
        { class: 'name' },
        traceUrl === null ? name : h('a', { href: traceUrl, target: '_blank', rel: 'noreferrer' }, name),
      ),
      ` ${clock(flush.startedAtMs, nowMs)} · ${short(records)} records · ${sizeText(flush.bytes)} · ${duration(totalMs)}`,
      outcome === 'failed' && h('strong', { class: 'bad' }, ' failed'),
    ),
    h('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', role: 'img', 'aria-label': text }, bars),
    h('p', { class: 'quiet' }, longestOf(parts)),
  )
}

/** Names the three stages that took longest. */
function longestOf(parts: FlushView['stages']): string {
  return [...parts]
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 3)
    .map(({ stage, ms }) => `${stage} ${duration(ms)}`)
    .join(' · ')
}
