import type { Observable } from 'rxjs'
import type { TopicConfig } from '../../../config/types.ts'
import type { ReadObstacle } from '../../kafka/fetch/read-obstacles.ts'
import type { PartitionStatus, SourceEvent } from '../../kafka/source/source-options.ts'
import type { TopicEvent } from './events.ts'
import type { InFlightWork, RunState, TopicFailure, TopicPhase } from './state.ts'
import { addCommit, EMPTY_SUMMARY, type TopicSummary } from './summary.ts'
import type { TopicPipeline } from './topic-pipeline.ts'

/** Answers questions about a topic. Its state is held here alone, and only the topic's events change it. */
export class TopicStatus {
  readonly #creditBytesMax: number
  readonly #pipeline: () => TopicPipeline | undefined
  readonly #endOffsets: () => ReadonlyMap<number, bigint | undefined>
  #phase: TopicPhase = 'opening'
  #isPaused = false
  #hasOpened = false
  #isJoining = false
  #hasWorked = false
  #failure: TopicFailure | undefined
  #topicId: string | undefined
  #restarts = 0
  #attempts = 0
  #outages = 0
  #summary = EMPTY_SUMMARY
  #unmatchedPaths = 0
  /** Next offset by partition up to which records were read before a restart and are not in the table yet. */
  readonly #reread = new Map<number, bigint>()

  /** The partitions that were assigned before the last restart. */
  #formerAssignment: readonly number[] | undefined

  /**
   * Follows `events` from now on; `pipeline` returns the pipeline that runs, or the last one that ran, and `endOffsets` the
   * end offsets in Kafka that are known without it.
   */
  constructor(
    { creditBytes }: Pick<TopicConfig, 'creditBytes'>,
    events: Observable<TopicEvent>,
    pipeline: () => TopicPipeline | undefined,
    endOffsets: () => ReadonlyMap<number, bigint | undefined> = () => new Map(),
  ) {
    this.#creditBytesMax = creditBytes
    this.#pipeline = pipeline
    this.#endOffsets = endOffsets
    events.subscribe((event) => {
      if (event.kind === 'phase') this.#enter(event)
      else if (event.kind === 'paused' || event.kind === 'resumed') this.#isPaused = event.kind === 'paused'
      else if (event.kind === 'read') this.#isJoining = false
      else if (event.kind === 'source') this.#follow(event.event)
      else if (event.kind === 'path-unmatched') this.#unmatchedPaths++
      else if (event.kind === 'path-matched') this.#unmatchedPaths--
      else if (event.kind === 'committed') {
        this.#hasWorked = true
        this.#attempts = 0
        this.#outages = 0
        this.#failure = undefined
        this.#summary = addCommit(this.#summary, event.commit)
        if (this.#reread.size > 0)
          for (const { partition, last } of event.commit.ranges) this.#markStored(partition, last + 1n)
      }
    })
  }

  /** The present state. */
  get state(): RunState {
    return this.#phase === 'running' && this.#isPaused ? 'paused' : this.#phase
  }

  /** The phase, also while the topic is paused. */
  get phase(): TopicPhase {
    return this.#phase
  }

  /** True after a pause until the topic is resumed, whether it runs or not. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** True once the table was open. */
  get hasOpened(): boolean {
    return this.#hasOpened
  }

  /** True while the topic runs and its consumer has not joined its group since the start of this run. */
  get isJoining(): boolean {
    return this.#isJoining
  }

  /** The obstacle that keeps the topic as a whole from being read, as far as its consumer knows. */
  get obstacle(): ReadObstacle | undefined {
    return this.#live()?.source.obstacle?.()
  }

  /** The last failure; `undefined` when there was none or the topic has committed since. */
  get failure(): TopicFailure | undefined {
    return this.#failure
  }

  /** True while records that were read before a restart are not in the table yet. */
  get isRereading(): boolean {
    return this.#reread.size > 0
  }

  /** True while records that were read are neither in the table nor buffered: before a restart, or in a batch that waits. */
  get hasUnstored(): boolean {
    return this.isRereading || this.inFlight().waiting !== undefined
  }

  /** The id of the Kafka topic as Kafka's tools show it; `undefined` until it is known. */
  get topicId(): string | undefined {
    return this.#topicId
  }

  /** Number of restarts after failures. */
  get restarts(): number {
    return this.#restarts
  }

  /** Number of starts since the last commit or the restart by an operator, without those that ended in an outage. */
  get attempts(): number {
    return this.#attempts
  }

  /** Number of outages that ended a start since the last commit or the restart by an operator. */
  get outages(): number {
    return this.#outages
  }

  /** True once the brokers have assigned partitions to the topic or it has committed, so that its configuration was right. */
  get hasWorked(): boolean {
    return this.#hasWorked
  }

  /** The totals so far. */
  get summary(): TopicSummary {
    return this.#summary
  }

  /** Number of paths of `drop`, `rename` and `transforms` that were reported since the last start, and match no field. */
  get unmatchedPaths(): number {
    return this.#unmatchedPaths
  }

  /**
   * Returns the offsets of the partitions that this process answers for, in every state: those assigned to it, or last
   * assigned; before the first assignment all partitions of the topic. `undefined` while it is unknown which these are.
   */
  partitions(): readonly PartitionStatus[] | undefined {
    const ends = this.#endOffsets()
    const read = new Map(this.#positions().map((each) => [each.partition, each]))
    const all = ends.size === 0 ? undefined : [...ends.keys()].sort((a, b) => a - b)
    return (this.#assignment() ?? all)?.map((partition) => {
      const { live = false, next = 0n, committed, end, obstacle } = read.get(partition) ?? {}
      return {
        ...{ partition, live, next },
        committed: newerOf(committed, this.#pipeline()?.storedOffset(partition)),
        end: newerOf(end, ends.get(partition)),
        // What kept a source from reading that is closed says nothing about the present.
        ...(obstacle === undefined || this.#live() === undefined ? {} : { obstacle }),
      }
    })
  }

  /** Returns the credit in use and its maximum, in bytes. */
  buffered(): { readonly bytes: number; readonly bytesMax: number } {
    const { taken: bytes = 0, bytesMax = this.#creditBytesMax } = this.#live()?.credit ?? {}
    return { bytes, bytesMax }
  }

  /** Returns where the work in flight is. */
  inFlight(): InFlightWork {
    const live = this.#live()
    return live === undefined ? { bufferedBytes: 0, flushes: [] } : live.flushes.inFlight(live.credit)
  }

  /**
   * Returns the committed offset of the Kafka group by partition. Asks the brokers at most every ten seconds; empty until
   * they answer.
   */
  async groupOffsets(): Promise<ReadonlyMap<number, bigint>> {
    return (await this.#pipeline()?.groupOffsets.read()) ?? new Map()
  }

  #positions(): readonly PartitionStatus[] {
    return this.#pipeline()?.source.status() ?? []
  }

  #assignment(): readonly number[] | undefined {
    const source = this.#pipeline()?.source
    const present =
      source?.assignment === undefined
        ? this.#positions().map(({ partition }) => partition)
        : source.assignment()
    // Without `assignment`, a source that reports no partition may not have got any yet.
    const isKnown = present !== undefined && (present.length > 0 || source?.assignment !== undefined)
    return isKnown ? present : this.#formerAssignment
  }

  #live(): TopicPipeline | undefined {
    return this.#phase === 'running' ? this.#pipeline() : undefined
  }

  #enter({ phase, failure, isRequested, restart }: Extract<TopicEvent, { kind: 'phase' }>): void {
    this.#phase = phase
    this.#failure = failure
    if (phase === 'opening') {
      if (isRequested === true) this.#attempts = this.#outages = 0
      this.#attempts++
      this.#unmatchedPaths = 0
    }
    if (phase === 'running') this.#hasOpened = this.#isJoining = true
    if (phase !== 'restarting') return
    this.#restarts++
    this.#formerAssignment = this.#assignment()
    if (restart?.isOutage === true) {
      this.#attempts--
      this.#outages++
    }
    for (const { partition, live, next, committed = -1n } of this.#positions())
      if (live && next > committed + 1n) this.#reread.set(partition, next)
  }

  #follow(event: SourceEvent): void {
    if (event.kind === 'assigned' || event.kind === 'positioned') this.#isJoining = false
    if (event.kind === 'topic-identified') this.#topicId = event.topicId
    else if (event.kind === 'positioned') this.#markStored(event.partition, event.next)
    else if (event.kind === 'assigned') {
      this.#hasWorked = true
      // Another member reads the partitions that are not assigned to this process.
      for (const partition of this.#reread.keys())
        if (!event.partitions.includes(partition)) this.#reread.delete(partition)
    }
  }

  /** Records that the table holds all records of a partition before `next`. */
  #markStored(partition: number, next: bigint): void {
    const wanted = this.#reread.get(partition)
    if (wanted !== undefined && next >= wanted) this.#reread.delete(partition)
  }
}

function newerOf(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a > b ? a : b
}
