import type { KafkaOptions } from '../../kafka/client/client.ts'
import type { Headers, Raw } from '../../core/raw.ts'
import { valueOf } from '../../core/raw.ts'
import { PipelineError } from '../../core/errors.ts'
import { readRowLines } from '../../delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../delta/log/snapshot.ts'
import { letterOfEnvelope, letterOfRow, type StoredLetter } from '../../stored-letters/stored.ts'
import { parseExact } from '../../formats/json/exact.ts'
import { readTopic } from '../../kafka/source/read-topic.ts'
import type { TablePool } from '../table/table-pool.ts'

/** A place where dead letters are kept. */
export interface LetterStore {
  /** Display name: `topic orders-dlq`, `table s3://…`. */
  readonly name: string
  /**
   * Reads all letters again on each call. Within one source partition of a topic they are ordered by offset;
   * otherwise the order is undefined.
   */
  read(): AsyncGenerator<StoredLetter>
  /** Returns the number of records of the last `read` that are not dead letters of this service. */
  readonly foreign: () => number
}

/** Returns the dead letters of a Kafka topic. */
export function lettersOfTopic(topic: string, kafka: KafkaOptions): LetterStore {
  let foreign = 0
  return {
    name: `topic ${topic}`,
    foreign: () => foreign,
    async *read() {
      foreign = 0
      for await (const { payload } of readTopic({ ...kafka, topic })) {
        for (let i = 0; i < payload.count; i++) {
          const letter = letterIn(payload, i)
          if (letter === undefined) foreign++
          else yield letter
        }
      }
    },
  }
}

function letterIn(raw: Raw, i: number): StoredLetter | undefined {
  const value = valueOf(raw, i)
  const headers: Headers | undefined = raw.headers?.[i]
  return value === undefined ? undefined : letterOfEnvelope(value, headers)
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
