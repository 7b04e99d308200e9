import type { Series } from '../../faults/support/service.ts'
import { metricsOfAlert } from './alerts.ts'
import type { LineWanted, MetricWanted, Said } from './scenario.ts'

/** The state of a server in `/readyz`. */
export interface ServerSaid {
  readonly state: string
  readonly reason?: string
}

/** The state of a topic in `/readyz`. */
export interface TopicSaid {
  readonly state: string
  readonly since?: string
  readonly reason?: string
  readonly next?: string
  readonly failure?: { readonly code: string | null; readonly message: string }
}

/** An answer of `/readyz`. */
export interface Ready {
  readonly code: number
  readonly status: string
  readonly components: Readonly<
    Record<'kafka' | 'stores' | 'registries', Readonly<Record<string, ServerSaid>>>
  > & {
    readonly topics: Readonly<Record<string, TopicSaid>>
  }
}

/** The part of a topic in `/status` that is looked at. */
interface TopicStatusSaid extends TopicSaid {
  /** The Kafka topic. */
  readonly topic: string
  readonly lag: number | null
  readonly freshnessMs?: number | null
  readonly futureMs?: number
  readonly partitions: readonly { readonly partition: number; readonly txn: number | null }[]
}

/** The part of `/status` that is looked at. */
export interface Status {
  readonly readiness: string
  readonly budget: { readonly bytes: number; readonly bytesMax: number } | null
  readonly topics: Readonly<Record<string, TopicStatusSaid>>
}

/** What a service says at one time. */
export interface Evidence {
  readonly ready: Ready | undefined
  readonly status: Status | undefined
  readonly series: readonly Series[]
  /** Of its log, since the fault. */
  readonly lines: readonly string[]
}

/** A line of the log. */
export interface Line {
  readonly level: string
  readonly msg: string
  readonly code?: string
  readonly topic?: string
}

/** States in which a topic says since when, why and what comes next. */
const NEEDS_REASON = new Set(['waiting', 'stalled', 'restarting', 'failed'])

/** Returns what is not as wanted, in words; empty when all is. */
export function unmetOf(said: Said, evidence: Evidence): readonly string[] {
  const { ready, series, lines } = evidence
  return [
    ...readyUnmet(said, ready),
    ...topicsUnmet(said, evidence),
    ...(said.server === undefined ? [] : serverUnmet(said.server, ready)),
    ...(said.lines ?? []).flatMap((wanted) =>
      findLine(wanted, lines) === undefined
        ? [`no line ${wanted.level} ${String(wanted.text)} ${wanted.code ?? ''}`]
        : [],
    ),
    ...(said.also?.(evidence) ?? []),
    ...(said.metrics ?? []).flatMap((wanted) => metricUnmet(wanted, series)),
    ...(said.alert === undefined ? [] : metricsOfAlert(said.alert))
      .filter((name) => !series.some((one) => one.name === name))
      .map((name) => `alert ${said.alert ?? ''}: no ${name} in /metrics`),
  ]
}

/** Returns the parsed line of the log, or `undefined` where it is not JSON. */
export function parseLine(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text)
    return typeof line === 'object' && line !== null && 'level' in line ? (line as Line) : undefined
  } catch {
    return undefined
  }
}

/** Returns the first line as wanted. */
export function findLine({ level, text, code }: LineWanted, lines: readonly string[]): Line | undefined {
  return lines
    .flatMap((line) => parseLine(line) ?? [])
    .find((line) => line.level === level && text.test(line.msg) && (code === undefined || line.code === code))
}

function readyUnmet({ code, readiness }: Said, ready: Ready | undefined): string[] {
  if (code === undefined && readiness === undefined) return []
  if (ready === undefined) return ['/readyz does not answer']
  const unmet = []
  if (code !== undefined && ready.code !== code) unmet.push(`/readyz ${ready.code}, not ${code}`)
  if (readiness !== undefined && !readiness.some((one) => one === ready.status))
    unmet.push(`/readyz says ${ready.status}, not ${readiness.join(' or ')}`)
  return unmet
}

function topicsUnmet({ topics = {} }: Said, { ready, status }: Evidence): string[] {
  return Object.entries(topics).flatMap(([name, { states, reason, failure, lag }]) => {
    const topic = ready?.components.topics[name]
    const inStatus = status?.topics[name]
    if (topic === undefined || inStatus === undefined) return [`${name} is not in /readyz and /status`]
    const unmet = []
    const said = `${name} ${topic.state}`
    if (!states.some((one) => one === topic.state)) unmet.push(`${said}, not ${states.join(' or ')}`)
    if (inStatus.state !== topic.state) unmet.push(`${said}, in /status ${inStatus.state}`)
    const code = topic.failure?.code ?? 'none'
    if (failure !== undefined && code !== failure) unmet.push(`${name} failure ${code}, not ${failure}`)
    if (reason !== undefined && !reason.test(topic.reason ?? ''))
      unmet.push(`${said} reason "${topic.reason ?? 'none'}", not ${String(reason)}`)
    if (NEEDS_REASON.has(topic.state))
      for (const field of ['since', 'reason', 'next'] as const)
        if ((topic[field] ?? '') === '') unmet.push(`${said} without ${field}`)
    if (lag !== undefined && !isLag(inStatus.lag, lag)) unmet.push(`${said} lag ${inStatus.lag}, not ${lag}`)
    return unmet
  })
}

function isLag(lag: number | null, wanted: 'unknown' | 'number' | 'positive'): boolean {
  if (wanted === 'unknown') return lag === null
  return typeof lag === 'number' && (wanted === 'number' || lag > 0)
}

function serverUnmet(
  { kind, states, reason }: NonNullable<Said['server']>,
  ready: Ready | undefined,
): string[] {
  const servers = Object.values(ready?.components[kind] ?? {})
  if (
    servers.some(
      (one) => states.some((state) => state === one.state) && (reason?.test(one.reason ?? '') ?? true),
    )
  )
    return []
  const said = servers.map((one) => `${one.state} (${one.reason ?? 'no reason'})`).join(', ')
  return [`${kind} ${said === '' ? 'absent' : said}, not ${states.join(' or ')} ${String(reason ?? '')}`]
}

function metricUnmet({ name, labels = {}, is }: MetricWanted, series: readonly Series[]): string[] {
  const found = series.filter(
    (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  )
  const value = found.length === 0 ? undefined : found.reduce((sum, one) => sum + one.value, 0)
  return is(value) ? [] : [`${name}${JSON.stringify(labels)} is ${value ?? 'absent'}`]
}
