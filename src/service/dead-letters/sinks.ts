import { deadLetterSinksOf } from '../../../config/dead-letters/sinks.ts'
import type { TopicConfig } from '../../../config/types.ts'
import type { DeadLetter, OffsetRange } from '../../core/batch.ts'
import type { Clock } from '../../core/clock.ts'
import { Closers, closeOnFailure } from '../../core/lifecycle/closers.ts'
import { describeCauses } from '../../stored-letters/cause.ts'
import type { DeadLettersWritten, DeadLetterTopic } from '../../kafka/dead-letters/dead-letters.ts'
import type { Logger } from '../../telemetry/log.ts'
import { compileDeadLetterColumns } from './dead-letter-columns.ts'
import { openDeadLetterTable } from './dead-letter-table.ts'
import { retryPolicyOf } from '../connections/retry-options.ts'
import type { TablePool } from '../table/table-pool.ts'

/** Describes how the dead letters of a topic are opened. */
interface OpenDeadLettersOptions {
  readonly tables: TablePool
  /** Opens the Kafka topic for dead letters; called only when it is configured. */
  readonly openTopic: () => DeadLetterTopic
  readonly log: Logger
  readonly clock?: Clock
}

/** Causes listed in one log line. */
const CAUSES_SHOWN = 3

/**
 * Opens the configured sinks for the dead letters of a topic: its Kafka topic, its Delta table, both, or none. Each
 * sink holds each letter exactly once.
 * @throws the errors of opening a table
 */
export async function openDeadLetters(
  topic: TopicConfig,
  options: OpenDeadLettersOptions,
): Promise<DeadLetterTopic> {
  const { tables, log, clock } = options
  const wanted = deadLetterSinksOf(topic)
  const { table: uri } = topic.deadLetters
  const sinks: DeadLetterTopic[] = []
  const closers = new Closers((error) =>
    log.warn({ err: error }, 'A sink of dead letters could not be closed'),
  )
  if (wanted.table && uri !== undefined) {
    const sink = await openDeadLetterTable(tables, {
      uri,
      appId: topic.appId,
      evolves: topic.table.schemaEvolution === 'addNewColumns',
      retryPolicy: retryPolicyOf(topic),
      columns: compileDeadLetterColumns(topic.deadLetters.transforms),
      onWarning: (warning) => log.warn({ code: warning.code }, warning.message),
      ...(clock === undefined ? {} : { clock }),
    })
    sinks.push(sink)
    closers.addBeside(() => sink.close())
  }
  if (wanted.topic) {
    const sink = await closeOnFailure(closers, () => Promise.resolve().then(options.openTopic))
    sinks.push(sink)
    closers.addBeside(() => sink.close())
  }
  return {
    async write(deadLetters, ranges) {
      logDeadLetters(
        deadLetters,
        sinks.length > 0 ? 'Writing dead letters' : 'Skipping records that cannot become rows',
        log,
      )
      return await writeAll(sinks, deadLetters, ranges)
    },
    close: () => closers.close(),
  }
}

/** Writes dead letters to each sink; the counts are the sums of all sinks. */
async function writeAll(
  sinks: readonly DeadLetterTopic[],
  deadLetters: readonly DeadLetter[],
  ranges: readonly OffsetRange[],
): Promise<DeadLettersWritten> {
  if (sinks.length === 0) return { written: 0, skipped: deadLetters.length }
  let [written, skipped] = [0, 0]
  for (const sink of sinks) {
    const counts = await sink.write(deadLetters, ranges)
    written += counts.written
    skipped += counts.skipped
  }
  return { written, skipped }
}

/** Logs one line per flush. */
function logDeadLetters(deadLetters: readonly DeadLetter[], message: string, log: Logger): void {
  log.warn({ records: deadLetters.length, causes: describeCauses(deadLetters, CAUSES_SHOWN) }, message)
}
