import { deadLetterSinks } from '../../../config/dead-letters/sinks.ts'
import type { TopicConfig } from '../../../config/types.ts'
import type { DeadLetter, OffsetRange } from '../../core/batch.ts'
import type { Clock } from '../../core/clock.ts'
import { causeLines } from '../../dead-letters/cause.ts'
import type { DeadLettersWritten, DeadLetterTopic } from '../../kafka/dead-letters/dead-letters.ts'
import type { Logger } from '../../telemetry/log.ts'
import { deadLetterColumns } from './dead-letter-columns.ts'
import { openDeadLetterTable } from './dead-letter-table.ts'
import { patienceOf } from '../connections/retry-options.ts'
import type { Tables } from '../table/table-pool.ts'

/** What dead letters need of their surroundings. */
export interface DeadLetterParts {
  readonly tables: Tables
  /** Opens the Kafka topic of the letters, where they go there. */
  readonly topic: () => DeadLetterTopic
  readonly log: Logger
  readonly clock?: Clock
}

/** Causes that a line of the log names. */
const CAUSES_SHOWN = 3

/**
 * Opens whatever the dead letters of a topic go into: its Kafka topic, its Delta table, both, or neither. Each place holds
 * each letter once by itself.
 * @throws what opening a table throws
 */
export async function openDeadLetters(topic: TopicConfig, parts: DeadLetterParts): Promise<DeadLetterTopic> {
  const { tables, log, clock } = parts
  const wanted = deadLetterSinks(topic)
  const { table: uri } = topic.deadLetters
  const sinks: DeadLetterTopic[] = []
  if (wanted.table && uri !== undefined) {
    const sink = await openDeadLetterTable(tables, {
      uri,
      appId: topic.appId,
      evolves: topic.table.schemaEvolution === 'addNewColumns',
      patience: patienceOf(topic),
      columns: deadLetterColumns(topic.deadLetters.transforms),
      onWarning: (warning) => log.warn({ code: warning.code }, warning.message),
      ...(clock === undefined ? {} : { clock }),
    })
    sinks.push(sink)
  }
  if (wanted.topic) sinks.push(parts.topic())
  return {
    async write(deadLetters, ranges) {
      tell(deadLetters, sinks.length > 0 ? 'Dead letters' : 'Records were skipped', log)
      return await writeAll(sinks, deadLetters, ranges)
    },
    async close() {
      await Promise.all(sinks.map((sink) => sink.close()))
    },
  }
}

async function writeAll(
  sinks: readonly DeadLetterTopic[],
  deadLetters: readonly DeadLetter[],
  ranges: readonly OffsetRange[],
): Promise<DeadLettersWritten> {
  let result: DeadLettersWritten = { written: 0, skipped: deadLetters.length }
  for (const sink of sinks) result = await sink.write(deadLetters, ranges)
  return result
}

/** One line a flush. */
function tell(deadLetters: readonly DeadLetter[], message: string, log: Logger): void {
  log.warn({ records: deadLetters.length, causes: causeLines(deadLetters, CAUSES_SHOWN) }, message)
}
