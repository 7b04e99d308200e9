import type { ConsoleSnapshot, TopicOverview } from '../snapshot.ts'
import { sizeText, count, duration, short, DASH } from '../format.ts'
import { headRow } from './part.ts'
import { sparkline } from './sparkline.ts'
import { h, type Described } from './vdom.ts'

const ARROWS = { growing: '↗ growing', draining: '↘ draining', steady: '→ steady' } as const

/** Returns where a lag goes, in words. */
export function trendText(trend: TopicOverview['trend'], clearMs: number | null): string {
  if (trend === null) return DASH
  return clearMs === null ? ARROWS[trend] : `${ARROWS[trend]}, clear in ${duration(clearMs)}`
}

/** Draws the list of all topics; a row is a button that selects its topic. */
export function topicList(
  { topics }: ConsoleSnapshot,
  selected: string | undefined,
  select: (name: string) => void,
): Described {
  const heads = ['Topic', 'State', 'Freshness', 'Lag', 'Over time', 'Trend', 'Rate', 'Held', 'Held back by']
  return h(
    'section',
    { key: 'topics', class: 'topics', 'aria-labelledby': 'topics-title' },
    h('h2', { id: 'topics-title' }, 'Topics', h('span', { class: 'quiet' }, ` ${count(topics.length)}`)),
    topics.length === 0
      ? h('p', { class: 'quiet' }, 'No topic runs yet.')
      : h(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'All topics' },
          h(
            'table',
            {},
            headRow(heads, [2, 3, 6, 7]),
            h(
              'tbody',
              {},
              topics.map((topic) => row(topic, topic.name === selected, select)),
            ),
          ),
        ),
  )
}

function row(topic: TopicOverview, isSelected: boolean, select: (name: string) => void): Described {
  const name = topic.name === topic.topic ? topic.topic : `${topic.topic} (${topic.name})`
  return h(
    'tr',
    { key: topic.name, class: isSelected ? 'selected' : undefined, click: () => select(topic.name) },
    h(
      'th',
      { scope: 'row' },
      h(
        'button',
        { type: 'button', class: 'pick', 'aria-pressed': isSelected ? 'true' : 'false', title: topic.table },
        name,
      ),
    ),
    h(
      'td',
      { class: 'state', title: topic.reason ?? undefined },
      h('span', {
        class: `dot ${topic.isHealthy ? 'well' : topic.state === 'failed' ? 'stopped' : 'ill'}`,
        'aria-hidden': 'true',
      }),
      topic.state,
    ),
    cell(duration(topic.freshnessMs), topic.freshnessMs, 'ms'),
    cell(short(topic.lag), topic.lag, 'records'),
    h('td', { class: 'line' }, sparkline(topic.lagSeries, `Lag of ${topic.topic}`)),
    h(
      'td',
      { class: topic.trend === 'growing' ? 'growing' : undefined },
      trendText(topic.trend, topic.clearMs),
    ),
    h('td', { class: 'number', title: `${sizeText(topic.bytesPerS)}/s` }, `${short(topic.recordsPerS)}/s`),
    h('td', { class: 'number', title: `of ${sizeText(topic.heldBytesMax)}` }, sizeText(topic.heldBytes)),
    h('td', {}, topic.bottleneck ?? h('span', { class: 'quiet' }, 'nothing')),
  )
}

function cell(text: string, exact: number | null, unit: string): Described {
  return h('td', { class: 'number', title: exact === null ? 'unknown' : `${count(exact)} ${unit}` }, text)
}
