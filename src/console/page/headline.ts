import type { ConsoleSnapshot, Headline } from '../snapshot.ts'
import { clock, duration } from '../format.ts'
import { h, type Described } from './vdom.ts'

/** Draws the sentence that is read first, and what explains it. */
export function headline({ headline: told, servers, atMs }: ConsoleSnapshot): Described {
  return h(
    'section',
    { key: 'headline', class: `headline ${told.level}`, 'aria-labelledby': 'sentence' },
    h('h1', { id: 'sentence', 'aria-live': 'polite' }, told.sentence),
    told.sinceMs !== undefined &&
      h('p', { class: 'since' }, `since ${clock(told.sinceMs, atMs)}, for ${duration(atMs - told.sinceMs)}`),
    told.next !== undefined &&
      h('p', { class: 'next' }, h('span', { class: 'label' }, 'Next'), ` ${told.next}`),
    codeOf(told),
    told.more > 0 && h('p', { class: 'more' }, `and ${told.more} more in trouble, below`),
    servers.length > 0 &&
      h(
        'ul',
        { class: 'servers' },
        servers.map((server) =>
          h(
            'li',
            { key: `${server.kind} ${server.name}` },
            h('strong', {}, server.name),
            ` ${server.state} since ${clock(server.sinceMs, atMs)}`,
            server.reason !== null && `: ${server.reason}`,
            server.next !== null && h('span', { class: 'quiet' }, ` ${server.next}`),
          ),
        ),
      ),
  )
}

function codeOf({ code, guideUrl }: Headline): Described | undefined {
  if (code === undefined) return undefined
  const text = h('code', {}, code)
  return h(
    'p',
    { class: 'code' },
    h('span', { class: 'label' }, 'Guide'),
    ' ',
    guideUrl === undefined ? text : h('a', { href: guideUrl, target: '_blank', rel: 'noreferrer' }, text),
  )
}
