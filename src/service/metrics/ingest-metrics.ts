import type { Statsd } from '../../telemetry/metrics/statsd.ts'
import type { TopicObserver } from '../topic/observer.ts'

/** Returns an observer that sends a topic's metrics under the names and types of kafka-delta-ingest. */
export function createIngestMetrics(
  statsd: Statsd,
  now: () => number = () => performance.now(),
): TopicObserver {
  const count = (name: string, value: number): void => {
    if (value > 0) statsd.send(name, 'c', value)
  }
  return {
    read({ bytes, count: records }) {
      // Each value in the batch is followed by a newline.
      if (records > 0) statsd.send('messages.size', 'g', bytes.length / records - 1)
    },
    flush({ counts, deadLetters }) {
      const startMs = now()
      const undecoded = deadLetters.filter(({ reason }) => reason === 'decode').length
      const untransformed = deadLetters.filter(({ reason }) => reason === 'transform').length
      const decoded = counts.records + (counts.expanded ?? 0) - undecoded - counts.tombstones
      count('messages.deserialization.completed', decoded)
      count('messages.deserialization.failed', undecoded)
      count('messages.transform.completed', decoded - untransformed)
      count('messages.transform.failed', untransformed)
      count('recordbatch.started', 1)
      count('delta.write.started', 1)
      return (error) => {
        const durationMs = now() - startMs
        if (error !== undefined) {
          count('delta.write.failed', 1)
          return
        }
        count('recordbatch.completed', 1)
        statsd.send('recordbatch.write_duration', 'ms', durationMs)
        count('delta.write.completed', 1)
        statsd.send('delta.write.duration', 'ms', durationMs)
      }
    },
    committed({ adds, ranges }, status) {
      for (const { size } of adds) statsd.send('delta.add.size', 'g', size)
      statsd.send('buffered.record_batches', 'g', 0)
      const lags = ranges.flatMap(({ partition, last }) => {
        const at = status.find((each) => each.partition === partition)
        return at === undefined ? [] : [lagOf(at.end, last + 1n)]
      })
      lagsOf(statsd, 'delta.write.lag', lags)
    },
    status(status) {
      lagsOf(
        statsd,
        'buffer.lag',
        status.filter(({ live }) => live).map(({ end, next }) => lagOf(end, next)),
      )
    },
  }
}

function lagOf(end: bigint, next: bigint): number {
  return Math.max(0, Number(end - next))
}

function lagsOf(statsd: Statsd, name: string, lags: readonly number[]): void {
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
