import type { PartitionView, TopicDetail } from '../snapshot.ts'
import { count, duration, short } from '../format.ts'
import { headRow, part } from './part.ts'
import { sparkline } from './sparkline.ts'
import { trendText } from './topics.ts'
import { h, type Described } from './vdom.ts'

/** Draws the partitions of a topic. */
export function partitions({ partitions: all }: TopicDetail): Described {
  const heads = ['Partition', 'Lag', 'Lag over time', 'Behind', 'Trend', 'Table has', 'End']
  return part(
    'partitions',
    'Lag by partition',
    all.length === 0
      ? h('p', { class: 'quiet' }, 'No partition is assigned to this process.')
      : h(
          'div',
          { class: 'scroll tall', tabindex: 0, role: 'region', 'aria-label': 'Partitions, as a table' },
          h('table', {}, headRow(heads, [0, 1, 3, 5, 6]), h('tbody', {}, all.map(row))),
        ),
  )
}

function row(each: PartitionView): Described {
  return h(
    'tr',
    {
      key: String(each.partition),
      class: each.unreadable === null ? undefined : 'unreadable',
      title: each.unreadable ?? undefined,
    },
    h('th', { scope: 'row', class: 'number' }, String(each.partition)),
    h('td', { class: 'number', title: each.lag === null ? 'unknown' : count(each.lag) }, short(each.lag)),
    h('td', { class: 'line' }, sparkline(each.lagSeries, `Lag of partition ${each.partition}`)),
    h('td', { class: 'number' }, duration(each.lagMs)),
    h(
      'td',
      { class: each.trend === 'growing' ? 'growing' : undefined },
      each.unreadable ?? trendText(each.trend, each.clearMs),
    ),
    h('td', { class: 'number' }, count(each.txn)),
    h('td', { class: 'number' }, count(each.end)),
  )
}
