import { loadConfig } from '../../../config/load/load.ts'
import { Budget, type BudgetMember } from '../../../src/core/credit/budget.ts'
import { SerialQueue } from '../../../src/core/serial-queue.ts'
import { openTopicWithInference } from '../../../src/service/inference/inferred-topic.ts'
import { SupervisedTopic } from '../../../src/service/supervision/supervised-topic.ts'
import { TablePool } from '../../../src/service/table/table-pool.ts'
import type { TopicServices } from '../../../src/service/topic/topic.ts'
import type { TopicPhase } from '../../../src/service/topic/state.ts'
import { MemoryStore, type MemoryFault } from '../../../src/storage/memory.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { HeldClock } from './held-clock.ts'
import { LiveTopic } from './live-source.ts'
import { ScriptedSource } from './scripted-source.ts'
import assert from 'node:assert/strict'

let tables = 0

/** A budget that refuses wrong sums when a topic leaves it. */
class CountedBudget extends Budget {
  readonly members = new Set<BudgetMember>()

  override join(member: BudgetMember): void {
    this.members.add(member)
    super.join(member)
  }

  override leave(member: BudgetMember): void {
    this.members.delete(member)
    super.leave(member)
  }
}

/** Runs one topic on the real supervisor, over a source, a store and a clock that the test moves. */
export class TopicMachine {
  readonly clock = new HeldClock()
  readonly budget = new CountedBudget(1e9)
  readonly kafka = new LiveTopic()
  readonly run: SupervisedTopic
  readonly phases: TopicPhase[] = []
  readonly lasts: bigint[] = []
  readonly promises = new Map<string, Promise<unknown>>()
  /** Opens that wait until `release`. */
  #held: (() => void)[] = []
  #holds = false
  #isStarted = false
  #fault: MemoryFault | undefined
  #openError: Error | undefined
  #stores = 0
  #letters = 0
  #committed = 0
  readonly #sources: ScriptedSource[] = []

  constructor(contract: string) {
    const uri = `memory:states-${process.pid}-${++tables}`
    const config = loadConfig({
      object: {
        kafka: { brokers: ['127.0.0.1:1'] },
        topics: {
          events: {
            contract,
            table: { uri },
            flush: { count: 50, ageMs: 3_600_000 },
            restart: { attempts: 3, baseMs: 1_000, capMs: 4_000 },
          },
        },
      },
    })
    const topic = config.topics['events']
    assert.ok(topic !== undefined)
    const log = createLogger({ level: 'silent' })
    const services: TopicServices = {
      config,
      until: 'stopped',
      log,
      connectors: {
        source: (options) => {
          const source = new ScriptedSource(this.kafka, options)
          this.#sources.push(source)
          return source
        },
        deadLetters: () => {
          this.#letters++
          return {
            write: (found) => Promise.resolve({ written: found.length, skipped: 0 }),
            close: () => {
              this.#letters--
              return Promise.resolve()
            },
          }
        },
      },
      maintenanceQueue: new SerialQueue(),
      tables: new TablePool((at) => this.#openStore(at)),
      budget: this.budget,
    }
    this.run = new SupervisedTopic('events', topic, {
      open: (emit) => openTopicWithInference(topic, services, emit),
      isDeletedTopic: () => Promise.resolve(false),
      log,
      clock: this.clock,
    })
    this.run.events.subscribe((event) => {
      if (event.kind === 'phase') this.phases.push(event.phase)
      if (event.kind !== 'committed') return
      this.#committed += event.commit.counts.records
      this.lasts.push(...event.commit.ranges.map(({ last }) => last))
    })
  }

  get source(): ScriptedSource | undefined {
    return this.#sources.at(-1)
  }

  /** What is open: stores, sources, sinks of dead letters, shares of the budget. */
  get open(): readonly number[] {
    const sources = this.#sources.filter(({ isClosed }) => !isClosed).length
    return [this.#stores, sources, this.#letters, this.budget.members.size]
  }

  /** True when nothing happens before the next step: what it waits for is held back, or comes from outside. */
  get isIdle(): boolean {
    const { phase } = this.run.status
    if (phase === 'opening') return !this.#isStarted || this.#held.length > 0
    if (phase !== 'running') return true
    const { flushes, waiting } = this.run.status.inFlight()
    const [partition] = this.run.status.partitions() ?? []
    const hasRead = partition?.live === true && partition.next === BigInt(this.kafka.values.length)
    return flushes.length === 0 && (hasRead || waiting !== undefined)
  }

  start(): void {
    this.#isStarted = true
    this.note('run', this.run.run())
  }

  get committed(): number {
    return this.#committed
  }

  hold(): void {
    this.#holds = true
  }

  release(): void {
    this.#holds = false
    for (const resolve of this.#held.splice(0)) resolve()
  }

  failNextOpen(error: Error): void {
    this.#openError = error
  }

  setFault(fault: MemoryFault | undefined): void {
    this.#fault = fault
  }

  note(name: string, promise: Promise<unknown>): void {
    promise.catch(() => undefined)
    this.promises.set(`${this.promises.size}: ${name}`, promise)
  }

  async #openStore(uri: string): Promise<MemoryStore> {
    if (this.#holds) await new Promise<void>((resolve) => this.#held.push(resolve))
    const error = this.#openError
    this.#openError = undefined
    if (error !== undefined) throw error
    const store = new MemoryStore(uri.slice('memory:'.length), {
      fault: ({ operation }) => (operation === 'put' ? this.#fault : undefined),
    })
    this.#stores++
    return Object.assign(store, {
      close: () => {
        this.#stores--
        return Promise.resolve()
      },
    })
  }
}
