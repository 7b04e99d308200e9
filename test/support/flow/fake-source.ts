import { Observable } from 'rxjs'
import type { Batch, OffsetRange } from '../../../src/core/batch.ts'
import type { Credit } from '../../../src/core/credit/credit.ts'
import type { Raw } from '../../../src/core/raw.ts'
import { rawBatch } from './batches.ts'
import type { Chance } from '../values/chance.ts'

/** The records of a topic: the value of offset `o` of partition `p` is `topic[p][o]`. */
export type Topic = readonly (readonly (string | null)[])[]

interface Position {
  readonly follows: bigint | undefined
  readonly next: number
}

/** What a source in memory is made of. */
export interface FakeSourceParts {
  readonly topic: Topic
  readonly partitions: readonly number[]
  readonly credit: Credit
  readonly chance: Chance
  /** Last offset that the table holds. */
  readonly resume: (partition: number) => Promise<bigint | undefined>
  readonly onCommitted?: (ranges: readonly OffsetRange[]) => Promise<void>
}

/** A topic in memory as the pipeline's source: resumes from the table, waits for credit, and completes at the end. */
export class FakeSource {
  readonly batches: Observable<Batch<Raw>>
  readonly resets: number[][] = []
  readonly #parts: FakeSourceParts
  readonly #positions = new Map<number, Position>()
  /** Last offset of each partition that is known to be in the table. */
  readonly #committed = new Map<number, bigint | undefined>()
  #awaitsCommits = false

  constructor(parts: FakeSourceParts) {
    this.#parts = parts
    this.batches = new Observable((subscriber) => {
      const leave = new AbortController()
      this.#read((batch) => subscriber.next(batch), leave.signal).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
      return () => leave.abort()
    })
  }

  awaitCommits(): void {
    this.#awaitsCommits = true
  }

  commitOffsets(ranges: readonly OffsetRange[]): Promise<void> {
    for (const { partition, last } of ranges) this.#committed.set(partition, last)
    return this.#parts.onCommitted?.(ranges) ?? Promise.resolve()
  }

  async reset(partitions: readonly number[]): Promise<void> {
    this.resets.push([...partitions])
    // Nothing of them is read while the table is asked.
    for (const partition of partitions) this.#positions.delete(partition)
    for (const partition of partitions) await this.#seek(partition)
  }

  async #seek(partition: number): Promise<void> {
    const follows = await this.#parts.resume(partition)
    this.#committed.set(partition, follows)
    this.#positions.set(partition, { follows, next: follows === undefined ? 0 : Number(follows) + 1 })
  }

  #isCommitted(): boolean {
    return [...this.#positions].every(
      ([partition, { follows }]) => this.#committed.get(partition) === follows,
    )
  }

  async #read(emit: (batch: Batch<Raw>) => void, signal: AbortSignal): Promise<void> {
    const { topic, partitions, credit, chance } = this.#parts
    for (const partition of partitions) await this.#seek(partition)
    while (!signal.aborted) {
      await new Promise((resolve) => setImmediate(resolve))
      const open = [...this.#positions].filter(
        ([partition, { next }]) => next < (topic[partition]?.length ?? 0),
      )
      // A reset is under way.
      if (open.length === 0 && this.#positions.size < partitions.length) continue
      if (open.length === 0) {
        // What is given up at the end is read again.
        if (!this.#awaitsCommits || this.#isCommitted()) return
        credit.requestFlush()
        continue
      }
      const [partition, position] = chance.pick(open)
      const values = (topic[partition] ?? []).slice(position.next, position.next + 1 + chance.int(12))
      const batch = rawBatch(values, { partition, first: BigInt(position.next), follows: position.follows })
      await credit.take(batch.provenance.bytes, signal)
      // A reset may have come meanwhile.
      if (this.#positions.get(partition) !== position) {
        credit.give(batch.provenance.bytes)
        continue
      }
      this.#positions.set(partition, { follows: batch.provenance.last, next: position.next + values.length })
      emit(batch)
    }
  }
}
