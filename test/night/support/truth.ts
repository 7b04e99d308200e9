import { readWatermarks } from '../../kafka/watermarks.ts'
import { TableLog } from '../../faults/support/table-log.ts'
import type { Sample } from './process.ts'
import type { Carried } from './scenario.ts'

/** What the brokers and the table of a topic hold at one time, by themselves. */
interface Fact {
  readonly atMs: number
  /** Sum of the ends of all partitions; `undefined` while no broker answers. */
  readonly end: bigint | undefined
  /** Sum of the offsets after the last committed ones. */
  readonly carried: bigint
}

const LOOK_EVERY_MS = 500
const BROKERS_MS_MAX = 2_000
/** A fault must be known after this time, and so must its end. */
const KNOWN_MS_MAX = 10_000
const MOMENT_MS_MAX = 2_000
/** Time in which each topic that works has a commit, with the flushes of the night. */
const COMMIT_EVERY_MS_MAX = 3_000

/** Tracks since when something is said; saying otherwise for a moment does not end it. */
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

/** Watches what really happens to the topics of a scenario, without a word of the service. */
export class Truth {
  readonly #brokers: readonly string[]
  readonly #topics: readonly Carried[]
  readonly #logs = new Map<string, TableLog>()
  readonly #facts = new Map<string, Fact[]>()
  readonly #running: Promise<void>
  #isOver = false

  constructor(brokers: readonly string[], topics: readonly Carried[]) {
    this.#brokers = brokers
    this.#topics = topics.filter(({ folder }) => folder !== undefined)
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  /**
   * Compares samples of `/readyz` with what happened: it never says ready for longer than a fault may stay unknown while no
   * topic progresses, nor that it is not ready for as long while all do. A topic progresses when its table gains offsets or
   * lacks none.
   */
  judge(samples: readonly Sample[]): readonly string[] {
    const first = samples[0]?.atMs ?? 0
    const wrong = { ready: [] as number[], unavailable: [] as number[] }
    const ready = new Run(first)
    const unready = new Run(first)
    for (const sample of samples) {
      const { atMs } = sample
      const code = this.#codeOf(sample)
      ready.add(atMs, code === 200)
      unready.add(atMs, code === 503)
      const idle = this.#topics.map(({ topic }) => this.#idleMs(topic, atMs, ready.sinceMs))
      const steady = this.#topics.map(({ topic }) => this.#steadyMs(topic, atMs, unready.sinceMs))
      if (code === 200 && idle.every((ms) => ms > KNOWN_MS_MAX)) wrong.ready.push(atMs - first)
      if (code === 503 && steady.every((ms) => ms > KNOWN_MS_MAX)) wrong.unavailable.push(atMs - first)
    }
    return [
      ...told('ready while no topic progressed', wrong.ready),
      ...told('not ready while all topics progressed', wrong.unavailable),
    ]
  }

  /** Returns the status of a sample; `undefined` where it says nothing that could be compared. */
  #codeOf({ ready }: Sample): number | undefined {
    if (ready === undefined || ready.status === 'stopping' || this.#topics.length === 0) return undefined
    const topics = Object.values(ready.components.topics)
    // A topic that was paused, or has ended, progresses no more on purpose.
    const isQuiet = topics.some(({ state }) => state === 'paused' || state === 'ended')
    return isQuiet || topics.length !== this.#topics.length ? undefined : ready.code
  }

  /** How long before `atMs` the topic progressed last, counted from `fromMs` on. */
  #idleMs(topic: string, atMs: number, fromMs: number): number {
    let last = fromMs
    let before: Fact | undefined
    for (const fact of this.#factsUntil(topic, atMs)) {
      const isCaughtUp = fact.end !== undefined && fact.carried >= fact.end
      const hasGained = before !== undefined && fact.carried > before.carried
      if (isCaughtUp || hasGained) last = Math.max(last, fact.atMs)
      before = fact
    }
    return atMs - last
  }

  /** For how long before `atMs`, counted from `fromMs` on, the topic has gained offsets without a pause. */
  #steadyMs(topic: string, atMs: number, fromMs: number): number {
    let since = fromMs
    let lastGain = Number.NEGATIVE_INFINITY
    let before: Fact | undefined
    for (const fact of this.#factsUntil(topic, atMs)) {
      if (before !== undefined && fact.carried > before.carried) {
        if (fact.atMs - lastGain > COMMIT_EVERY_MS_MAX) since = Math.max(fromMs, fact.atMs)
        lastGain = fact.atMs
      }
      before = fact
    }
    return atMs - lastGain > COMMIT_EVERY_MS_MAX ? 0 : atMs - since
  }

  #factsUntil(topic: string, atMs: number): readonly Fact[] {
    return (this.#facts.get(topic) ?? []).filter((fact) => fact.atMs <= atMs)
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(this.#topics.map((one) => this.#look(one)))
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
  }

  async #look({ topic, folder = '' }: Carried): Promise<void> {
    const log = this.#logs.get(topic) ?? new TableLog(folder)
    this.#logs.set(topic, log)
    const [end, carried] = await Promise.all([this.#end(topic), carriedOf(log)])
    // A table that was deleted or broken on purpose tells nothing.
    if (carried === undefined) return
    this.#facts.set(topic, [...(this.#facts.get(topic) ?? []), { atMs: Date.now(), end, carried }])
  }

  async #end(topic: string): Promise<bigint | undefined> {
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, BROKERS_MS_MAX, undefined))
    const marks = readWatermarks({ brokers: this.#brokers, clientId: 'truth' }, topic).catch(() => undefined)
    const found = await Promise.race([marks, late])
    return found === undefined ? undefined : [...found.values()].reduce((sum, { high }) => sum + high, 0n)
  }
}

async function carriedOf(log: TableLog): Promise<bigint | undefined> {
  try {
    const commits = await log.commits()
    // The id of the topic is stored in the same way as offsets.
    const partitions = [...commits].filter(([partition]) => Number.isInteger(partition))
    return partitions.reduce((sum, [, of]) => sum + (of.at(-1)?.last ?? -1n) + 1n, 0n)
  } catch {
    return undefined
  }
}

function told(what: string, timesMs: readonly number[]): string[] {
  const [first] = timesMs
  const last = timesMs.at(-1)
  if (first === undefined || last === undefined) return []
  const seconds = (ms: number): string => (ms / 1000).toFixed(1)
  return [`${what}: ${timesMs.length} samples, ${seconds(first)} s to ${seconds(last)} s after the start`]
}
