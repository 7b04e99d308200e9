import { writeFile } from 'node:fs/promises'
import { messageOf } from '../../../src/core/errors.ts'
import { findFreePorts } from '../../../src/local-servers/process.ts'
import { startWorker, type Worker } from '../../integrity/support/worker.ts'

/** A metric's series with its value, as Prometheus reads it. */
export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What the endpoints said at one time. */
export interface Look {
  /** HTTP status of `/readyz`. */
  readonly code: number
  /** Its `status`. */
  readonly status: string
  /** State by the name of each store and registry. */
  readonly circuits: Readonly<Record<string, string>>
  readonly series: readonly Series[]
}

/** The service under test, with its endpoints asked again and again. */
export interface WatchedService {
  readonly worker: Worker
  /** The newest look. Rejects where the service has ended. */
  look(): Promise<Look>
  /** Resolves to the first look, from now on, for which this holds. */
  until(what: string, holds: (look: Look) => boolean): Promise<Look>
  /** Every `code status` of `/readyz`, in the order in which they were seen; repetitions are one. */
  readonly seen: readonly string[]
  /** Every state of each circuit, likewise, by `/metrics`. */
  readonly circuits: ReadonlyMap<string, readonly string[]>
  /** Every state that each topic was in, by `/metrics`. */
  readonly topics: ReadonlyMap<string, ReadonlySet<string>>
  /** Largest share of their budgets that topics held, by `/metrics`. */
  readonly fullest: number
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>
}

const STATES = ['closed', 'half-open', 'open']
const LOOK_EVERY_MS = 100
const ASK_MS_MAX = 10_000

/** Starts `kafka-delta run` with the configuration and `http.port`; resolves when its endpoints answer. */
export async function startWatched(
  program: readonly string[],
  config: object,
  path: string,
  waitMsMax = 90_000,
  lookEveryMs = LOOK_EVERY_MS,
): Promise<WatchedService> {
  const [port = 0] = await findFreePorts(1)
  await writeFile(path, JSON.stringify({ log: { level: 'debug' }, ...config, http: { port } }))
  // What a shell has set for trying things out would win over the configuration.
  const worker = startWorker(program, ['run', '--config', path], { KAFKA_BOOTSTRAP_SERVERS: '' })
  const service = new Watched(worker, `http://127.0.0.1:${port}`, waitMsMax, lookEveryMs)
  await service.until('endpoints', () => true)
  return service
}

/** The value of the series with this name and these labels; the sum where there are several, 0 where there is none. */
export function valueOf(
  { series }: Look,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  return series
    .filter(
      (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
    )
    .reduce((sum, { value }) => sum + value, 0)
}

class Watched implements WatchedService {
  readonly worker: Worker
  readonly seen: string[] = []
  readonly circuits = new Map<string, string[]>()
  readonly topics = new Map<string, Set<string>>()
  fullest = 0
  readonly #url: string
  readonly #waitMsMax: number
  readonly #lookEveryMs: number
  #isOver = false
  #newest: Look | undefined
  #failure = ''
  readonly #waiting = new Set<(look: Look) => void>()

  constructor(worker: Worker, url: string, waitMsMax: number, lookEveryMs: number) {
    this.worker = worker
    this.#url = url
    this.#waitMsMax = waitMsMax
    this.#lookEveryMs = lookEveryMs
    void worker.ended.then(() => (this.#isOver = true))
    void this.#watch()
  }

  async look(): Promise<Look> {
    return this.until('a look', () => true)
  }

  until(what: string, holds: (look: Look) => boolean): Promise<Look> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(take)
      }
      const fail = (why: string): void => {
        end()
        const { lines } = this.worker
        const newest = JSON.stringify({ ...this.#newest, series: undefined })
        const words = `${why} waiting for ${what}; ${newest} ${this.#failure}`
        reject(new Error(`${words}\n${lines.slice(-25).join('\n')}`))
      }
      const take = (look: Look): void => {
        if (!holds(look)) return
        end()
        resolve(look)
      }
      const timer = setTimeout(() => fail(`${this.#waitMsMax} ms went by`), this.#waitMsMax)
      this.#waiting.add(take)
      void this.worker.ended.then((code) => fail(`the service ended with ${code}`))
    })
  }

  stop(): Promise<number | null> {
    this.worker.kill('SIGTERM')
    return this.worker.ended
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      try {
        const look = await this.#ask()
        this.#note(look)
        for (const take of [...this.#waiting]) take(look)
      } catch (error) {
        // It is not there yet, or no more.
        this.#failure = messageOf(error)
      }
      await new Promise((resolve) => setTimeout(resolve, this.#lookEveryMs))
    }
  }

  async #ask(): Promise<Look> {
    const signal = AbortSignal.timeout(ASK_MS_MAX)
    const [ready, metrics] = await Promise.all(
      ['/readyz', '/metrics'].map((path) => fetch(this.#url + path, { signal })),
    )
    const { status = '', components = {} } = (await ready?.json()) as {
      status?: string
      components?: Partial<Record<'stores' | 'registries', Record<string, { state: string }>>>
    }
    const states = Object.entries({ ...components.stores, ...components.registries })
    return {
      code: ready?.status ?? 0,
      status,
      circuits: Object.fromEntries(states.map(([name, { state }]) => [name, state])),
      series: seriesOf((await metrics?.text()) ?? ''),
    }
  }

  #note(look: Look): void {
    this.#newest = look
    const ready = `${look.code} ${look.status}`
    if (this.seen.at(-1) !== ready) this.seen.push(ready)
    for (const { name, labels, value } of look.series) {
      if (name !== 'kafka_delta_circuit_state') continue
      const states = this.circuits.get(labels['name'] ?? '') ?? []
      const state = STATES[value] ?? String(value)
      if (states.at(-1) !== state) this.circuits.set(labels['name'] ?? '', [...states, state])
    }
    for (const { name, labels, value } of look.series) {
      const { topic = '', state = '' } = labels
      if (name !== 'kafka_delta_topic_state' || value !== 1) continue
      this.topics.set(topic, (this.topics.get(topic) ?? new Set()).add(state))
    }
    const max = valueOf(look, 'kafka_delta_budget_max')
    if (max > 0) this.fullest = Math.max(this.fullest, valueOf(look, 'kafka_delta_budget') / max)
  }
}

/** Returns the series of a text in the format of Prometheus. */
export function seriesOf(text: string): Series[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)/i.exec(line)
    if (match === null) return []
    const labels = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
    return {
      name: match[1] ?? '',
      labels: Object.fromEntries(labels.map(([, key = '', value = '']) => [key, value])),
      value: Number(match[3]),
    }
  })
}
