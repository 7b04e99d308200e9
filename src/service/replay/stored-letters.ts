import type { KafkaOptions } from '../../kafka/client/client.ts'
import { valueOf } from '../../core/raw.ts'
import { PipelineError } from '../../core/errors.ts'
import { readRowLines } from '../../delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../delta/log/snapshot.ts'
import { LetterJoiner, type JoinOptions } from '../../stored-letters/letter-joiner.ts'
import { letterOfRow, type StoredLetter } from '../../stored-letters/stored.ts'
import { parseExact } from '../../formats/json/exact.ts'
import { readTopic } from '../../kafka/source/read-topic.ts'
import type { TablePool } from '../table/table-pool.ts'

/** A place where dead letters are kept. */
export interface LetterStore {
  /** Display name: `topic orders-dlq`, `table s3://…`. */
  readonly name: string
  /**
   * Reads all letters again on each call. Within one source partition of a topic they are ordered by offset;
   * otherwise the order is undefined, and letters whose parts are incomplete come last. `options` select letters of a
   * topic; they say nothing about those of a table.
   */
  read(options?: JoinOptions): AsyncGenerator<StoredLetter>
  /** Returns the number of records of the last `read` that are not dead letters of this service. */
  readonly foreign: () => number
  /** Returns the number of letters of the last `read` of which the topic has parts, but no longer the first record. */
  readonly lost: () => number
}

/** Returns the dead letters of a Kafka topic. */
export function lettersOfTopic(topic: string, kafka: KafkaOptions): LetterStore {
  let foreign = 0
  let joiner = new LetterJoiner()
  return {
    name: `topic ${topic}`,
    foreign: () => foreign,
    lost: () => joiner.lostCount,
    async *read(options) {
      foreign = 0
      joiner = new LetterJoiner(options)
      for await (const { payload } of readTopic({ ...kafka, topic })) {
        for (let i = 0; i < payload.count; i++) {
          const value = valueOf(payload, i)
          const letters = value && joiner.add(value, payload.headers?.[i])
          if (letters === undefined) foreign++
          else yield* letters
        }
      }
      yield* joiner.end()
    },
  }
}

/**
 * Returns the dead letters of a Delta table that this service or kafka-delta-ingest wrote.
 * @throws KD_TABLE_MISSING while reading, when there is no table
 * @throws KD_COMMAND_INVALID while reading, when the table has no column `error`
 */
export function lettersOfTable(uri: string, tables: TablePool): LetterStore {
  return {
    name: `table ${uri}`,
    foreign: () => 0,
    lost: () => 0,
    async *read() {
      const lease = await tables.lease(uri)
      try {
        const snapshot = await loadSnapshot(lease.store)
        if (!snapshot.schema.fields.some(({ name }) => name === 'error')) {
          const detail =
            'expected a table of dead letters, with the columns error, json_string and base64_bytes'
          throw new PipelineError('KD_COMMAND_INVALID', detail, { table: uri })
        }
        for await (const line of readRowLines(lease.store, snapshot))
          yield letterOfRow(parseExact(line) as Readonly<Record<string, unknown>>)
      } finally {
        await lease.release()
      }
    },
  }
}
