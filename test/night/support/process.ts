import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { readWatermarks } from '../../kafka/watermarks.ts'
import { findFreePorts } from '../../../src/local-servers/process.ts'
import { startWorker, type Worker } from '../../integrity/support/worker.ts'
import { type Evidence, type Ready, type Status, unmetOf } from './said.ts'
import type { Said } from './scenario.ts'
import { seriesOf } from '../../faults/support/service.ts'

/** One answer of `/readyz`, or `undefined` where none came in time. */
export interface Sample {
  readonly atMs: number
  readonly tookMs: number
  readonly ready: Ready | undefined
}

/** When something was said, and what was missing to the end. */
export interface Heard {
  readonly afterMs: number
  readonly unmet: readonly string[]
  readonly evidence: Evidence
}

const SAMPLE_EVERY_MS = 200
const ASK_EVERY_MS = 400
const ASK_MS_MAX = 5_000
const SETTLED_MS_MAX = 30_000
const START_MS_MAX = 30_000
/** The admin token of every service of the night. */
export const TOKEN = 'token-of-the-night'

/** A service under test: `/readyz` is sampled all the time, the rest is asked for when something must be said. */
export class NightProcess {
  readonly worker: Worker
  readonly startedMs = Date.now()
  readonly samples: Sample[] = []
  readonly #url: string
  #isOver = false
  #mark = 0

  private constructor(worker: Worker, url: string) {
    this.worker = worker
    this.#url = url
    // It would outlive a night that is interrupted.
    const kill = (): void => worker.kill('SIGKILL')
    process.once('exit', kill)
    void worker.ended.then(() => {
      this.#isOver = true
      process.removeListener('exit', kill)
    })
    void this.#sample()
  }

  /** Starts `kafka-delta run` with the configuration, to which `http`, `admin` and `log` are added. */
  static async start(program: readonly string[], config: object, path: string): Promise<NightProcess> {
    const [port = 0] = await findFreePorts(1)
    const admin = { enabled: true, token: TOKEN }
    await writeFile(path, JSON.stringify({ log: { level: 'info' }, admin, ...config, http: { port } }))
    const env = { KAFKA_BOOTSTRAP_SERVERS: '', AWS_EC2_METADATA_DISABLED: 'true' }
    return new NightProcess(startWorker(program, ['run', '--config', path], env), `http://127.0.0.1:${port}`)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Resolves once it has written a line, answered or ended; or when the time is over. */
  async firstWord(msMax: number): Promise<void> {
    const sinceMs = Date.now()
    const isSilent = (): boolean =>
      this.worker.lines.length === 0 && this.samples.length === 0 && !this.#isOver
    while (isSilent() && Date.now() - sinceMs < msMax) await sleep(SAMPLE_EVERY_MS)
  }

  /** Lines from now on count as said about what follows. */
  mark(): void {
    this.#mark = this.worker.lines.length
  }

  /** Resolves once all of it is said at one time, or when the time is over; also when the service has ended. */
  async says(said: Said, msMax: number): Promise<Heard> {
    const sinceMs = Date.now()
    for (;;) {
      // What a process said before its end is all there.
      const isLast = this.#isOver || Date.now() - sinceMs >= msMax
      const evidence = await this.evidence()
      const unmet = unmetOf(said, evidence)
      if (unmet.length === 0 || isLast) return { afterMs: Date.now() - sinceMs, unmet, evidence }
      await sleep(ASK_EVERY_MS)
    }
  }

  /** Rejects when it is not said in time. */
  async mustSay(what: string, said: Said, msMax = START_MS_MAX): Promise<void> {
    const { unmet } = await this.says(said, msMax)
    if (unmet.length === 0) return
    const lines = this.worker.lines.slice(-12).join('\n')
    throw new Error(`${what} not within ${msMax} ms: ${unmet.join('; ')}\n${lines}`)
  }

  /**
   * Waits until the table holds all that a topic holds now, by the offsets in `/status`; resolves to the number of
   * partitions that lack records when the time is over.
   */
  async settled(brokers: readonly string[], topic: string, msMax = SETTLED_MS_MAX): Promise<number> {
    const sinceMs = Date.now()
    const ends = await readWatermarks({ brokers, clientId: 'night' }, topic)
    for (;;) {
      const { status } = await this.evidence()
      const found = Object.values(status?.topics ?? {}).find((one) => one.topic === topic)
      const open = [...ends].filter(([partition, { high }]) => {
        const txn = found?.partitions.find((one) => one.partition === partition)?.txn ?? -1
        return BigInt(txn) < high - 1n
      })
      const isLate = this.#isOver || Date.now() - sinceMs > msMax
      if (open.length === 0 || isLate) return open.length
      await sleep(SAMPLE_EVERY_MS)
    }
  }

  /** Returns what all endpoints and the log say now. */
  async evidence(): Promise<Evidence> {
    const [ready, status, metrics] = await Promise.all([
      this.#ready().catch(() => undefined),
      this.#get('/status').then(
        async (answer) => (await answer.json()) as Status,
        () => undefined,
      ),
      this.#get('/metrics').then(
        (answer) => answer.text(),
        () => '',
      ),
    ])
    return { ready, status, series: seriesOf(metrics), lines: this.worker.lines.slice(this.#mark) }
  }

  /** Returns the size of `/metrics`; infinite where it does not come in time. */
  async metricsBytes(): Promise<number> {
    try {
      return (await (await this.#get('/metrics')).arrayBuffer()).byteLength
    } catch {
      return Number.POSITIVE_INFINITY
    }
  }

  /** Carries out an admin verb; resolves to the status and the body of the answer. */
  async verb(topic: string, verb: string): Promise<{ readonly code: number; readonly body: VerbAnswer }> {
    const answer = await fetch(`${this.#url}/admin/topics/${topic}/${verb}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      signal: AbortSignal.timeout(4 * ASK_MS_MAX),
    })
    return { code: answer.status, body: (await answer.json()) as VerbAnswer }
  }

  /** Resolves to the exit code, or to 'runs' when it has not ended in time. */
  async end(msMax: number): Promise<number | null | 'runs'> {
    const waited = new AbortController()
    const late = sleep(msMax, 'runs' as const, { signal: waited.signal }).catch(() => 'runs' as const)
    try {
      return await Promise.race([this.worker.ended, late])
    } finally {
      waited.abort()
    }
  }

  async #sample(): Promise<void> {
    while (!this.#isOver) {
      const atMs = Date.now()
      const ready = await this.#ready().catch(() => undefined)
      // Before the first answer the endpoints are not there yet.
      if (ready !== undefined || this.samples.length > 0)
        this.samples.push({ atMs, tookMs: Date.now() - atMs, ready })
      await sleep(SAMPLE_EVERY_MS)
    }
  }

  async #ready(): Promise<Ready> {
    const answer = await this.#get('/readyz')
    return { ...((await answer.json()) as Omit<Ready, 'code'>), code: answer.status }
  }

  #get(path: string): Promise<Response> {
    return fetch(this.#url + path, { signal: AbortSignal.timeout(ASK_MS_MAX) })
  }
}

/** The answer to an admin verb. */
interface VerbAnswer {
  readonly done?: boolean
  readonly error?: string
  readonly reason?: string
}
