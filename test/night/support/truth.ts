import { setTimeout as sleep } from 'node:timers/promises'
import { readWatermarks } from '../../kafka/watermarks.ts'
import { TableLog } from '../../faults/support/table-log.ts'
import type { Fact } from './judge.ts'
import type { Carried } from './scenario.ts'

const LOOK_EVERY_MS = 1_000
/** Brokers that answer later than this are as good as none. */
const BROKERS_MS_MAX = 5_000

/** Watches what really happens to the topics of a scenario, without a word of the service. */
export class Truth {
  readonly #brokers: readonly string[]
  readonly #topics: readonly Carried[]
  readonly #logs = new Map<string, TableLog>()
  readonly #facts = new Map<string, Fact[]>()
  readonly #running: Promise<void>
  #isOver = false

  /** Begins to watch those whose tables lie on this machine. */
  constructor(brokers: readonly string[], topics: readonly Carried[]) {
    this.#brokers = brokers
    this.#topics = topics.filter(({ folder }) => folder !== undefined)
    for (const { topic } of this.#topics) this.#facts.set(topic, [])
    this.#running = this.#run()
  }

  /** What was seen so far, by Kafka topic. */
  get facts(): ReadonlyMap<string, readonly Fact[]> {
    return this.#facts
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(this.#topics.map((one) => this.#look(one)))
      await sleep(LOOK_EVERY_MS)
    }
  }

  async #look({ topic, folder = '' }: Carried): Promise<void> {
    const log = this.#logs.get(topic) ?? new TableLog(folder)
    this.#logs.set(topic, log)
    const [end, carried] = await Promise.all([this.#end(topic), carriedOf(log)])
    // A table that was deleted or broken on purpose tells nothing.
    if (carried !== undefined) this.#facts.get(topic)?.push({ atMs: Date.now(), end, carried })
  }

  async #end(topic: string): Promise<bigint | undefined> {
    const marks = readWatermarks({ brokers: this.#brokers, clientId: 'truth' }, topic).catch(() => undefined)
    const found = await Promise.race([marks, sleep(BROKERS_MS_MAX, undefined)])
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
