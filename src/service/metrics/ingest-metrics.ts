import type { FormedFlush } from '../../../operators/buffer-time-or-count.ts'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import { valueBytesOf } from '../../core/raw.ts'
import type { PartitionStatus } from '../../kafka/source/source-options.ts'
import type { Statsd } from '../../telemetry/metrics/statsd.ts'
import type { TopicEventHandler } from '../topic/events.ts'

/** Sends a topic's metrics under the names and types of kafka-delta-ingest. */
export class IngestMetrics {
  readonly #statsd: Statsd

  constructor(statsd: Statsd) {
    this.#statsd = statsd
  }

  /** Follows the topic by its events. */
  readonly onEvent: TopicEventHandler = (event) => {
    switch (event.kind) {
      case 'read': {
        const { count: records } = event.raw
        if (records > 0) this.#statsd.send('messages.size', 'g', valueBytesOf(event.raw) / records)
        break
      }
      case 'flush-formed':
        this.#sendFormed(event.flush)
        break
      case 'flush-ended':
        this.#sendEnded(event.durationMs, event.error)
        break
      case 'committed':
        this.#sendCommit(event.commit, event.partitions)
        break
      case 'phase':
      case 'paused':
      case 'resumed':
      case 'fenced':
      case 'orphaned':
      case 'path-matched':
      case 'path-unmatched':
      case 'source':
      case 'maintained':
      case 'checkpointed':
        break
    }
  }

  /** Sends the lag of the partitions, unless that of one is unknown; called periodically. */
  sendLag(partitions: readonly PartitionStatus[] | undefined): void {
    if (partitions !== undefined)
      lagsOf(
        this.#statsd,
        'buffer.lag',
        partitions.map(({ live, end, next }) => (live ? lagOf(end, next) : undefined)),
      )
  }

  #sendFormed({ counts, deadLetters }: FormedFlush): void {
    const undecoded = deadLetters.filter(({ reason }) => reason === 'decode').length
    const untransformed = deadLetters.filter(({ reason }) => reason === 'transform').length
    const decoded = counts.records + (counts.expanded ?? 0) - undecoded - counts.tombstones
    this.#count('messages.deserialization.completed', decoded)
    this.#count('messages.deserialization.failed', undecoded)
    this.#count('messages.transform.completed', decoded - untransformed)
    this.#count('messages.transform.failed', untransformed)
    this.#count('recordbatch.started', 1)
    this.#count('delta.write.started', 1)
  }

  #sendEnded(durationMs: number, error: unknown): void {
    if (error !== undefined) {
      this.#count('delta.write.failed', 1)
      return
    }
    this.#count('recordbatch.completed', 1)
    this.#statsd.send('recordbatch.write_duration', 'ms', durationMs)
    this.#count('delta.write.completed', 1)
    this.#statsd.send('delta.write.duration', 'ms', durationMs)
  }

  #sendCommit({ adds, ranges }: PipelineCommit, partitions: readonly PartitionStatus[]): void {
    for (const { size } of adds) this.#statsd.send('delta.add.size', 'g', size)
    this.#statsd.send('buffered.record_batches', 'g', 0)
    const lags = ranges.flatMap(({ partition, last }) => {
      const at = partitions.find((each) => each.partition === partition)
      return at === undefined ? [] : [lagOf(at.end, last + 1n)]
    })
    lagsOf(this.#statsd, 'delta.write.lag', lags)
  }

  #count(name: string, value: number): void {
    if (value > 0) this.#statsd.send(name, 'c', value)
  }
}

function lagOf(end: bigint | undefined, next: bigint): number | undefined {
  return end === undefined ? undefined : Math.max(0, Number(end - next))
}

/** Sends nothing while a lag is unknown: the sum and the largest of the others would be too small. */
function lagsOf(statsd: Statsd, name: string, found: readonly (number | undefined)[]): void {
  const lags = found.filter((lag) => lag !== undefined)
  if (lags.length < found.length) return
  statsd.send(`${name}.num_partitions`, 'g', lags.length)
  statsd.send(
    `${name}.total`,
    'g',
    lags.reduce((sum, lag) => sum + lag, 0),
  )
  if (lags.length === 0) return
  statsd.send(`${name}.max`, 'g', Math.max(...lags))
  statsd.send(`${name}.min`, 'g', Math.min(...lags))
}
