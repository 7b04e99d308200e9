import type { KafkaOptions } from '../../kafka/client/client.ts'
import type { Headers, Raw } from '../../core/raw.ts'
import { valueOf } from '../../core/raw.ts'
import { PipelineError } from '../../core/errors.ts'
import { rowLines } from '../../delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../delta/log/snapshot.ts'
import { letterOfEnvelope, letterOfRow, type StoredLetter } from '../../dead-letters/stored.ts'
import { parseExact } from '../../formats/json/exact.ts'
import { readTopic } from '../../kafka/source/read-topic.ts'
import type { Tables } from '../table/table-pool.ts'

/** Dead letters where they are kept. */
export interface LetterStore {
  /** For people: `topic orders-dlq`, `table s3://…`. */
  readonly name: string
  /** All of them, read anew; in no order but that of offsets within a source partition of a topic. */
  read(): AsyncGenerator<StoredLetter>
  /** Records of the last `read` that hold no dead letter of this service. */
  readonly foreign: () => number
}

/** The dead letters of a Kafka topic. */
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

/** The dead letters of a Delta table, of this service or of kafka-delta-ingest. Reading throws `KD_TABLE_MISSING` where there is none. */
export function lettersOfTable(uri: string, tables: Tables): LetterStore {
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
        for await (const line of rowLines(lease.store, snapshot))
          yield letterOfRow(parseExact(line) as Readonly<Record<string, unknown>>)
      } finally {
        await lease.release()
      }
    },
  }
}
