// The console in the browser: it follows a stream of snapshots and draws each of them.
import type { ConsoleSnapshot, TopicDetail, TopicOverview } from '../snapshot.ts'
import { clock, count, duration } from '../format.ts'
import { headline } from './headline.ts'
import { partitions } from './partitions.ts'
import { headersOf, openStream } from './stream.ts'
import { group, memory, tableHealth } from './surroundings.ts'
import { topicList } from './topics.ts'
import { askVerb, verbButtons } from './verbs.ts'
import { h, patch, type Described } from './vdom.ts'
import { commits, deadLetters, flushes, stages } from './work.ts'

/** Everything that the page knows. */
interface State {
  snapshot?: ConsoleSnapshot
  /** The topic that was chosen; the first one until then. */
  selected?: string
  token?: string
  tokenWanted: boolean
  down?: { readonly reason: string; readonly sinceMs: number }
  config?: unknown
}

const TOKEN_KEY = 'kafka-delta-token'
const THEME_KEY = 'kafka-delta-theme'
const state: State = { tokenWanted: false }
let close: () => void = () => undefined
let root: HTMLElement

function start(): void {
  const found = document.getElementById('console')
  if (found === null) throw new Error('Broken invariant: the page has the element console')
  root = found
  const token = sessionStorage.getItem(TOKEN_KEY)
  if (token !== null) state.token = token
  showTheme(localStorage.getItem(THEME_KEY))
  const chosen = new URLSearchParams(location.hash.slice(1)).get('topic')
  if (chosen !== null) state.selected = chosen
  document.addEventListener('keydown', onKey)
  follow()
}

function follow(): void {
  close()
  close = openStream(state.selected, state.token, {
    onSnapshot: (snapshot) => {
      state.snapshot = snapshot
      state.tokenWanted = false
      delete state.down
      draw()
    },
    onDown: (reason) => {
      state.down ??= { reason, sinceMs: Date.now() }
      state.down = { ...state.down, reason }
      draw()
    },
    onTokenWanted: () => {
      state.tokenWanted = true
      draw()
    },
  })
}

function select(name: string): void {
  if (state.selected === name) return
  state.selected = name
  history.replaceState(null, '', `#topic=${encodeURIComponent(name)}`)
  draw()
  follow()
}

/** j and k, or the arrows, choose the next and the previous topic. */
function onKey(event: KeyboardEvent): void {
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key]
  const isTyping = event.target instanceof HTMLInputElement || document.querySelector('dialog[open]') !== null
  const isScrolling =
    event.key.startsWith('Arrow') && document.activeElement?.className.includes('pick') !== true
  const topics = state.snapshot?.topics ?? []
  if (step === undefined || isTyping || isScrolling || event.ctrlKey || event.metaKey || topics.length === 0)
    return
  const at = topics.findIndex(({ name }) => name === selectedName())
  const next = topics[Math.min(topics.length - 1, Math.max(0, at + step))]
  if (next === undefined) return
  event.preventDefault()
  select(next.name)
  document.querySelector<HTMLElement>('tr.selected .pick')?.focus()
}

function selectedName(): string | undefined {
  return state.selected ?? state.snapshot?.detail?.name ?? state.snapshot?.topics[0]?.name
}

function draw(): void {
  document.title = titleOf(state.snapshot)
  patch(root, [header(), state.tokenWanted ? tokenForm() : body()])
}

function titleOf(snapshot: ConsoleSnapshot | undefined): string {
  return snapshot === undefined ? 'kafka-delta' : `${snapshot.headline.level} · kafka-delta`
}

function header(): Described {
  const { snapshot, down } = state
  return h(
    'header',
    { key: 'header' },
    h(
      'p',
      { class: 'brand' },
      h('strong', {}, 'kafka-delta'),
      snapshot !== undefined &&
        h(
          'span',
          { class: 'quiet' },
          ` ${snapshot.version} on Node.js ${snapshot.node}, up ${duration(snapshot.atMs - snapshot.startedAtMs)}`,
        ),
    ),
    h(
      'p',
      { class: down === undefined ? 'link quiet' : 'link bad', role: 'status' },
      down === undefined
        ? snapshot === undefined
          ? 'connecting …'
          : `live · ${clock(snapshot.atMs, snapshot.atMs)}`
        : `not connected since ${clock(down.sinceMs, Date.now())}: ${down.reason}`,
    ),
    h(
      'button',
      { type: 'button', class: 'theme', click: toggleTheme, 'aria-label': 'Switch between light and dark' },
      '◐',
    ),
  )
}

function body(): Described {
  const { snapshot, down } = state
  if (snapshot === undefined)
    return h('main', { key: 'main', id: 'main' }, h('p', { class: 'quiet' }, 'Waiting for the service …'))
  const name = selectedName()
  const overview = snapshot.topics.find((topic) => topic.name === name)
  const detail = snapshot.detail?.name === name ? snapshot.detail : null
  return h(
    'main',
    { key: 'main', id: 'main', class: down === undefined ? undefined : 'stale' },
    headline(snapshot),
    topicList(snapshot, name, select),
    overview !== undefined && topicPage(overview, detail, snapshot),
    h('div', { key: 'process', class: 'parts' }, memory(snapshot), configuration()),
  )
}

function topicPage(
  overview: TopicOverview,
  detail: TopicDetail | null,
  { atMs, hasAdmin }: ConsoleSnapshot,
): Described {
  return h(
    'article',
    { key: `topic ${overview.name}`, 'aria-labelledby': 'topic-title' },
    h('h2', { id: 'topic-title' }, overview.topic, h('span', { class: 'quiet' }, ` → ${overview.table}`)),
    overview.reason !== null &&
      h(
        'p',
        {},
        overview.reason,
        overview.next !== null && h('span', { class: 'quiet' }, ` ${overview.next}`),
      ),
    hasAdmin &&
      (state.token === undefined
        ? tokenHint()
        : verbButtons(overview, (verb) => askVerb(verb, overview, state.token))),
    detail === null
      ? h('p', { class: 'quiet' }, 'Waiting for the service …')
      : h(
          'div',
          { class: 'parts' },
          h(
            'p',
            { class: 'totals' },
            `${count(detail.rows)} rows, ${count(detail.deadLetters)} dead letters, ${count(detail.restarts)} restarts since the start of this process`,
          ),
          stages(detail, overview),
          partitions(detail),
          commits(detail, atMs),
          deadLetters(detail, atMs),
          flushes(detail, atMs),
          group(detail, atMs),
          tableHealth(detail, atMs),
        ),
  )
}

function tokenHint(): Described {
  return h(
    'p',
    { class: 'quiet' },
    h(
      'button',
      {
        type: 'button',
        click: () => {
          state.tokenWanted = true
          draw()
        },
      },
      'Enter the admin token',
    ),
    ' to pause, resume, flush or optimize this topic.',
  )
}

function tokenForm(): Described {
  return h(
    'main',
    { key: 'token', id: 'main' },
    h('h1', {}, 'This service asks for its admin token'),
    h('p', { class: 'quiet' }, 'It is the option admin.token of the configuration. It stays in this tab.'),
    h(
      'form',
      { submit: takeToken },
      h('label', { for: 'token' }, 'Admin token'),
      h('input', { id: 'token', name: 'token', type: 'password', autocomplete: 'off', required: true }),
      h('button', { type: 'submit', class: 'primary' }, 'Continue'),
    ),
  )
}

function takeToken(event: Event): void {
  event.preventDefault()
  const input = document.querySelector<HTMLInputElement>('#token')
  if (input === null || input.value === '') return
  state.token = input.value
  sessionStorage.setItem(TOKEN_KEY, input.value)
  state.tokenWanted = false
  draw()
  follow()
}

function configuration(): Described {
  return h(
    'section',
    { key: 'configuration', class: 'part configuration' },
    h(
      'details',
      {
        toggle: (event) => {
          if ((event.target as HTMLDetailsElement).open) void loadConfig()
        },
      },
      h('summary', {}, h('h3', {}, 'Configuration'), h('span', { class: 'quiet' }, ' without secrets')),
      h(
        'pre',
        { tabindex: 0 },
        state.config === undefined ? 'Loading …' : JSON.stringify(state.config, undefined, 2),
      ),
    ),
  )
}

async function loadConfig(): Promise<void> {
  try {
    const response = await fetch('config', { headers: headersOf(state.token) })
    state.config = response.ok ? await response.json() : { error: `the service answered ${response.status}` }
  } catch {
    state.config = { error: 'the service does not answer' }
  }
  draw()
}

function toggleTheme(): void {
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches
  const present = document.documentElement.dataset['theme'] ?? (isDark ? 'dark' : 'light')
  const next = present === 'dark' ? 'light' : 'dark'
  localStorage.setItem(THEME_KEY, next)
  showTheme(next)
}

function showTheme(theme: string | null): void {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme
}

start()
