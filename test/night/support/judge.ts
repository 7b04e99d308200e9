import type { Sample } from './process.ts'

/** What the brokers and the table of a topic hold at one time, by themselves. */
export interface Fact {
  readonly atMs: number
  /** Sum of the ends of all partitions; `undefined` while no broker answers. */
  readonly end: bigint | undefined
  /** Sum of the offsets after the last committed ones. */
  readonly carried: bigint
}

/** A sample of `/readyz` beside what was true at that time. */
export interface Judged {
  readonly atMs: number
  readonly code: number | undefined
  readonly readiness: string | undefined
  /** States by the name of the entry. */
  readonly topics: Readonly<Record<string, string>>
  /** By Kafka topic; offsets as decimal text. */
  readonly truth: Readonly<Record<string, { readonly end: string | null; readonly carried: string | null }>>
  /** What is untrue of it. */
  readonly wrong?: 'ready while no topic progressed' | 'not ready while all topics progressed'
}

/** Saying otherwise for so long does not end what is said. */
const MOMENT_MS_MAX = 2_000
/** Time in which each topic that works has a commit, with the flushes of the night. */
const COMMIT_EVERY_MS_MAX = 3_000

/**
 * Compares samples of `/readyz` with what happened to each topic: it never says ready for longer than `knownMsMax` while no topic progresses, nor that it is not ready for as long while all do. A topic progresses when its table
 * gains offsets or lacks none.
 */
export function judge(
  samples: readonly Sample[],
  facts: ReadonlyMap<string, readonly Fact[]>,
  knownMsMax: number,
): readonly Judged[] {
  const topics = [...facts.values()]
  const first = samples[0]?.atMs ?? 0
  const ready = new Run(first)
  const unready = new Run(first)
  return samples.map((sample) => {
    const { atMs } = sample
    const code = codeOf(sample, topics.length)
    ready.add(atMs, code === 200)
    unready.add(atMs, code === 503)
    const told = beside(sample, facts)
    if (code === 200 && topics.every((of) => idleMs(of, atMs, ready.sinceMs) > knownMsMax))
      return { ...told, wrong: 'ready while no topic progressed' }
    if (code === 503 && topics.every((of) => steadyMs(of, atMs, unready.sinceMs) > knownMsMax))
      return { ...told, wrong: 'not ready while all topics progressed' }
    return told
  })
}

/** Returns what is untrue of samples, in words. */
export function untrue(judged: readonly Judged[]): readonly string[] {
  const firstMs = judged[0]?.atMs ?? 0
  const seconds = (one: Judged | undefined): string => (((one?.atMs ?? 0) - firstMs) / 1000).toFixed(1)
  const kinds = new Set(judged.flatMap(({ wrong }) => wrong ?? []))
  return [...kinds].map((kind) => {
    const of = judged.filter(({ wrong }) => wrong === kind)
    return `${kind}: ${of.length} samples, ${seconds(of[0])} s to ${seconds(of.at(-1))} s after the first`
  })
}

/** Tracks since when something is said. */
class Run {
  sinceMs: number
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(fromMs: number) {
    this.sinceMs = fromMs
  }

  add(atMs: number, isSaid: boolean): void {
    if (!isSaid) return
    if (atMs - this.#lastMs > MOMENT_MS_MAX) this.sinceMs = atMs
    this.#lastMs = atMs
  }
}

/** Returns the status of a sample; `undefined` where it says nothing that could be compared. */
function codeOf({ ready }: Sample, topicCount: number): number | undefined {
  if (ready === undefined || ready.status === 'stopping' || topicCount === 0) return undefined
  const topics = Object.values(ready.components.topics)
  // A topic that was paused, or has ended, progresses no more on purpose.
  const isQuiet = topics.some(({ state }) => state === 'paused' || state === 'ended')
  return isQuiet || topics.length !== topicCount ? undefined : ready.code
}

/** How long before `atMs` the topic progressed last, counted from `fromMs` on. */
function idleMs(facts: readonly Fact[], atMs: number, fromMs: number): number {
  let last = fromMs
  let before: Fact | undefined
  for (const fact of facts) {
    if (fact.atMs > atMs) break
    const isCaughtUp = fact.end !== undefined && fact.carried >= fact.end
    const hasGained = before !== undefined && fact.carried > before.carried
    if (isCaughtUp || hasGained) last = Math.max(last, fact.atMs)
    before = fact
  }
  return atMs - last
}

/** For how long before `atMs`, counted from `fromMs` on, the topic has gained offsets without a pause. */
function steadyMs(facts: readonly Fact[], atMs: number, fromMs: number): number {
  let since = fromMs
  let lastGain = Number.NEGATIVE_INFINITY
  let before: Fact | undefined
  for (const fact of facts) {
    if (fact.atMs > atMs) break
    if (before !== undefined && fact.carried > before.carried) {
      if (fact.atMs - lastGain > COMMIT_EVERY_MS_MAX) since = Math.max(fromMs, fact.atMs)
      lastGain = fact.atMs
    }
    before = fact
  }
  return atMs - lastGain > COMMIT_EVERY_MS_MAX ? 0 : atMs - since
}

function beside({ atMs, ready }: Sample, facts: ReadonlyMap<string, readonly Fact[]>): Judged {
  const states = Object.entries(ready?.components.topics ?? {}).map(
    ([name, { state }]) => [name, state] as const,
  )
  const truth = [...facts].map(([topic, of]) => {
    const fact = of.findLast((one) => one.atMs <= atMs)
    return [topic, { end: textOf(fact?.end), carried: textOf(fact?.carried) }] as const
  })
  return {
    atMs,
    code: ready?.code,
    readiness: ready?.status,
    topics: Object.fromEntries(states),
    truth: Object.fromEntries(truth),
  }
}

function textOf(offset: bigint | undefined): string | null {
  return offset === undefined ? null : String(offset)
}
