import type { ConsoleSnapshot, GroupView, MemoryUse, TableHealth, TopicDetail } from '../snapshot.ts'
import { sizeText, clock, count, percent, short, DASH } from '../format.ts'
import { grid, part } from './part.ts'
import { sparkline } from './sparkline.ts'
import { h, type Described } from './vdom.ts'

/** Draws the memory of the process against what it may use. */
export function memory({ memory: used }: ConsoleSnapshot): Described {
  return part(
    'memory',
    'Memory',
    h(
      'dl',
      {},
      heldOf(used),
      fact('Heap', `${sizeText(used.heapBytes)} of ${sizeText(used.heapBytesMax)}`),
      fact('Resident', sizeText(used.rssBytes)),
    ),
    sparkline(used.rss, 'Resident memory', sizeText),
  )
}

function heldOf({ heldBytes, heldBytesMax }: MemoryUse): readonly Described[] {
  if (heldBytesMax === null) return fact('Records held', sizeText(heldBytes))
  const share = heldBytesMax === 0 ? 0 : heldBytes / heldBytesMax
  return fact('Records held', `${sizeText(heldBytes)} of ${sizeText(heldBytesMax)} (${percent(share)})`)
}

/** Draws the members of the group and what happened in it. */
export function group({ group: view }: TopicDetail, nowMs: number): Described {
  return part(
    'group',
    'Consumer group',
    h(
      'p',
      {},
      h('code', {}, view.groupId),
      view.assigned === null
        ? ' no partition assigned yet'
        : ` ${count(view.assigned.length)} partitions here`,
    ),
    members(view),
    view.events.length > 0 &&
      h(
        'ol',
        { class: 'events' },
        view.events
          .slice(0, 10)
          .map(({ atMs, kind, text }) =>
            h(
              'li',
              { key: `${atMs} ${kind} ${text}`, class: kind },
              h('time', {}, clock(atMs, nowMs)),
              ` ${text}`,
            ),
          ),
      ),
  )
}

function members({ members: all }: GroupView): Described {
  if (all === null) return h('p', { class: 'quiet' }, 'The members are not known yet.')
  const rows = all.map(({ memberId, clientId, host, partitions, isSelf }) => ({
    key: memberId,
    cells: [
      `${clientId}${isSelf ? ' (this process)' : ''}`,
      host,
      partitions.length === 0 ? DASH : ranges(partitions),
    ],
  }))
  return grid(['Member', 'Host', 'Partitions'], rows, [], 'Members of the group')
}

/** Returns partitions as ranges: `0–3, 7`. */
export function ranges(partitions: readonly number[]): string {
  const sorted = [...partitions].sort((a, b) => a - b)
  const found: [number, number][] = []
  for (const each of sorted) {
    const last = found.at(-1)
    if (last !== undefined && last[1] === each - 1) last[1] = each
    else found.push([each, each])
  }
  return found.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ')
}

/** Draws the files of the table and its upkeep. */
export function tableHealth({ tableHealth: health, maintenance }: TopicDetail, nowMs: number): Described {
  return part(
    'table',
    'Table',
    health === null
      ? h('p', { class: 'quiet' }, 'The table was not looked at yet.')
      : h('div', {}, facts(health, nowMs), sizes(health)),
    maintenance.length > 0 &&
      h(
        'ol',
        { class: 'events' },
        maintenance
          .slice(0, 6)
          .map(({ task, outcome, atMs, durationMs }) =>
            h(
              'li',
              { key: `${atMs} ${task}`, class: outcome },
              h('time', {}, clock(atMs, nowMs)),
              ` ${task} ${outcome} in ${short(durationMs)} ms`,
            ),
          ),
      ),
  )
}

function facts(health: TableHealth, nowMs: number): Described {
  const checkpoint =
    health.checkpointVersion === null
      ? 'none'
      : `version ${count(health.checkpointVersion)}, ${clock(health.checkpointAtMs, nowMs)}`
  return h(
    'dl',
    {},
    fact('Version', count(health.version)),
    fact('Files', `${count(health.files)}, ${sizeText(health.bytes)}`),
    fact('Small files', percent(health.smallShare)),
    fact('Checkpoint', checkpoint),
    fact('Optimized', clock(health.lastOptimizeAtMs, nowMs)),
    fact('Vacuumed', clock(health.lastVacuumAtMs, nowMs)),
    fact('Schema changes', count(health.schemaChanges)),
  )
}

function sizes({ sizes: all }: TableHealth): Described | undefined {
  const most = Math.max(1, ...all.map(({ files }) => files))
  if (all.length === 0) return undefined
  return h(
    'ul',
    { class: 'bars sizes', 'aria-label': 'Files by size' },
    all.map(({ upToBytes, files }) =>
      h(
        'li',
        { key: String(upToBytes) },
        h('span', { class: 'name' }, upToBytes === null ? 'larger' : `to ${sizeText(upToBytes)}`),
        h(
          'svg',
          { viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
          h('rect', { class: 'busy', x: 0, y: 0, width: ((files / most) * 100).toFixed(1), height: 8 }),
        ),
        h('span', { class: 'number' }, count(files)),
      ),
    ),
  )
}

function fact(name: string, value: string): readonly Described[] {
  return [h('dt', {}, name), h('dd', {}, value)]
}
