import { readFile, writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'
import type { Outcome } from './play.ts'

const PAGE = 'docs/troubleshooting.md'
const BEGIN = '<!-- night:begin -->'
const END = '<!-- night:end -->'
const TEXT_MAX = 260

/** Writes what was said in a night between the markers of the page. Rows of scenarios that were not played stay. */
export async function writeTable(outcomes: readonly Outcome[]): Promise<void> {
  const page = await readFile(PAGE, 'utf8')
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`${PAGE} has no markers ${BEGIN} and ${END}`)
  const rows = outcomes.map(rowOf)
  const head = [
    '| What is wrong | What `/readyz` says | What the log says | Code | What the service does | What to do |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  const text = `${page.slice(0, from)}${BEGIN}\n\n${[...head, ...rows].join('\n')}\n\n${page.slice(to)}`
  await writeFile(PAGE, await format(text, { ...(await resolveConfig(PAGE)), filepath: PAGE }))
}

/** Returns what `/readyz` said of the fault, in one sentence. */
export function readySaid({ evidence }: Outcome): string {
  const ready = evidence?.ready
  if (ready === undefined) return 'nothing: the process has ended'
  const topics = Object.values(ready.components.topics)
  const worst =
    topics.find(({ state }) => !HEALTHY.has(state)) ?? topics.find(({ reason }) => reason !== undefined)
  const why = worst?.reason ?? worst?.failure?.message
  const said = worst === undefined ? '' : `: \`${worst.state}\`${why === undefined ? '' : `, ${why}`}`
  return `${ready.code} \`${ready.status}\`${said}`
}

const HEALTHY: ReadonlySet<string> = new Set(['running', 'paused', 'ended'])

function rowOf(outcome: Outcome): string {
  const { scenario, lines } = outcome
  const { code } = scenario
  const log = lines.map(({ level, msg }) => `\`${level}\` ${msg}`).join('; ')
  const cells = [
    scenario.fault,
    readySaid(outcome),
    log === '' ? 'nothing' : log,
    code === undefined ? '' : `[\`${code}\`](#${code.toLowerCase()})`,
    scenario.does,
    scenario.remedy,
  ]
  return `| ${cells.map(cellOf).join(' | ')} |`
}

/** Returns the text without addresses, paths and names of this machine, shortened, as a cell of a table. */
function cellOf(text: string): string {
  const plain = normalize(text)
  const short = plain.length > TEXT_MAX ? `${plain.slice(0, TEXT_MAX).replace(/\s+\S*$/, '')} …` : plain
  // An odd tick would open code to the end of the row.
  const closed = (short.match(/`/g) ?? []).length % 2 === 0 ? short : `${short}\``
  return closed.replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\s+/g, ' ')
}

/** Returns the text with everything that differs from night to night replaced. */
export function normalize(text: string): string {
  return text
    .replace(/\/[\w./-]*kafka-delta-night-\w+\/([\w-]+)/g, '/data/$1')
    .replace(/-[0-9a-f]{8}\b/g, '')
    .replace(/(?:https?:\/\/)?127\.0\.0\.1:\d+/g, 'host:port')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '03:12:45')
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, '…')
    .replace(/(?<=\b(?:in|after|for) )\d+ ms\b/g, 'a few ms')
}
