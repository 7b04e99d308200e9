import { CODEC_NAMES } from '../../src/compression/compression.ts'
import { generateRecords } from '../../src/sample/event.ts'
import { USER_EVENTS } from '../../src/sample/user-events.ts'
import { WEB_REQUESTS } from '../../src/sample/web-requests.ts'
import { contractFile, idOf, numbered, scattered, timeOf, type Shape } from './shape.ts'

const USER: Pick<Shape, 'records' | 'topic'> = {
  records: (count) => generateRecords(USER_EVENTS, { seed: 1, count }),
  topic: { contract: contractFile('user-events') },
}
const WEB: Pick<Shape, 'records'> = {
  records: (count) => generateRecords(WEB_REQUESTS, { seed: 1, count }),
}

const text = { type: 'string' }
const nullable = (type: string): object => ({ type: [type, 'null'] })
const object = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  properties,
  required,
})

const WIDE_COLUMNS = 200
/** Columns of a wide record that have a value. */
const WIDE_FILLED = 12
const WIDE_TYPES = ['integer', 'string', 'number', 'boolean'] as const

const WIDE_PROPERTIES: Record<string, object> = { id: text }
for (let at = 0; at < WIDE_COLUMNS - 1; at++) WIDE_PROPERTIES[`c${at}`] = nullable(WIDE_TYPES[at % 4] ?? '')

const WIDE: Shape = {
  name: 'wide',
  title: `${WIDE_COLUMNS} columns, ${WIDE_FILLED} of them with a value`,
  contract: object(WIDE_PROPERTIES, ['id']),
  records: (count) =>
    numbered(count, (sink, number) => {
      let json = `{"id":"${idOf(number)}"`
      const first = scattered(number) % (WIDE_COLUMNS - 1)
      for (let filled = 1; filled < WIDE_FILLED; filled++) {
        const at = (first + filled * 17) % (WIDE_COLUMNS - 1)
        const value = (number + filled) % 10_000
        json += `,"c${at}":${[String(value), `"text ${value}"`, `${value}.5`, String(value % 2 === 0)][at % 4] ?? ''}`
      }
      sink.text(`${json}}`)
    }),
}

const LINE = object({
  sku: text,
  quantity: { type: 'integer' },
  price: { type: 'number' },
  tags: { type: 'array', items: text },
})
const NESTED: Shape = {
  name: 'nested',
  title: 'lists of objects with lists',
  contract: object(
    {
      id: text,
      at: { type: 'string', format: 'date-time' },
      address: object({ city: text, geo: object({ lat: { type: 'number' }, lon: { type: 'number' } }) }),
      lines: { type: 'array', items: LINE },
    },
    ['id'],
  ),
  records: (count) =>
    numbered(count, (sink, number) => {
      const lines = Array.from({ length: 1 + (number % 4) }, (_, line) => {
        const value = scattered(number + line) % 1_000
        return `{"sku":"SKU-${value}","quantity":${1 + (value % 9)},"price":${value}.25,"tags":["a${value % 7}","b"]}`
      })
      sink.text(
        `{"id":"${idOf(number)}","at":"${new Date(timeOf(number)).toISOString()}","address":{"city":"City ${number % 500}",` +
          `"geo":{"lat":${number % 90}.125,"lon":${number % 180}.5}},"lines":[${lines.join()}]}`,
      )
    }),
}

const decimal = (type: string): object => ({ type: ['number', 'string', 'null'], 'x-delta-type': type })
const DECIMALS: Shape = {
  name: 'decimals',
  title: 'five decimals, as numbers and as text',
  contract: object(
    {
      id: text,
      price: decimal('decimal(12,2)'),
      tax: decimal('decimal(12,4)'),
      rate: decimal('decimal(18,9)'),
      total: decimal('decimal(28,6)'),
      balance: decimal('decimal(38,10)'),
    },
    ['id'],
  ),
  records: (count) =>
    numbered(count, (sink, number) => {
      const value = scattered(number)
      const cents = String(value % 100).padStart(2, '0')
      sink.text(
        `{"id":"${idOf(number)}","price":${value % 100_000}.${cents},"tax":"${value % 1_000}.${cents}19","rate":0.${value % 1_000_000},` +
          `"total":"${value}${value % 1_000}.${cents}","balance":-${value}.${cents}0001}`,
      )
    }),
}

const ROW = object(
  {
    id: { type: 'integer' },
    customer: text,
    amount: { type: 'number' },
    updated_at: { type: 'string', format: 'date-time' },
    open: { type: 'boolean' },
  },
  ['id'],
)
const DEBEZIUM: Shape = {
  name: 'debezium-json',
  title: 'Debezium changes in JSON, the row after the change',
  contract: ROW,
  topic: { envelope: 'debezium' },
  records: (count) =>
    numbered(count, (sink, number) => {
      const row = `{"id":${number},"customer":"customer ${number % 5_000}","amount":${number % 900}.5,"updated_at":"${new Date(timeOf(number)).toISOString()}","open":${number % 2 === 0}}`
      sink.text(
        `{"before":null,"after":${row},"source":{"version":"2.7.0","connector":"postgresql","name":"shop","ts_ms":${timeOf(number)},"db":"shop","schema":"public","table":"orders","txId":${number},"lsn":${number * 64}},"op":"c","ts_ms":${timeOf(number)},"transaction":null}`,
      )
    }),
}

const INGEST_COLUMNS = object({
  meta: object({
    producer: object({ timestamp: text }),
    kafka: object({
      offset: { type: 'integer' },
      topic: text,
      partition: { type: 'integer', 'x-delta-type': 'integer' },
    }),
  }),
  method: text,
  session_id: text,
  status: { type: 'integer', 'x-delta-type': 'integer' },
  url: text,
  body_bytes_sent: { type: 'integer' },
  uuid: text,
  date: text,
})

/** The shapes whose values are JSON. */
export const JSON_SHAPES: readonly Shape[] = [
  { ...USER, name: 'user-events', title: 'user events with their contract' },
  {
    ...USER,
    name: 'kafka-columns',
    title: 'user events with Kafka columns and date partitions',
    topic: {
      ...USER.topic,
      kafkaColumns: true,
      derive: { event_date: 'date(timestamp)' },
      table: { partitionColumns: ['event_date'] },
    },
  },
  {
    ...WEB,
    name: 'web-requests',
    title: 'web requests with a contract, INT columns',
    topic: { contract: contractFile('web-requests') },
  },
  WIDE,
  NESTED,
  DECIMALS,
  {
    ...WEB,
    name: 'existing-table',
    title: 'web requests into an existing table, without a contract',
    existingTable: { contract: INGEST_COLUMNS, partitionColumns: [] },
  },
  { ...WEB, name: 'inferred', title: 'web requests, columns inferred from the first messages' },
  {
    ...WEB,
    name: 'ingest',
    title: "kafka-delta-ingest's example with its four transforms, by `ingest`",
    existingTable: { contract: INGEST_COLUMNS, partitionColumns: ['date'] },
    ingestTransforms: [
      'date: substr(meta.producer.timestamp, `0`, `10`)',
      'meta.kafka.offset: kafka.offset',
      'meta.kafka.partition: kafka.partition',
      'meta.kafka.topic: kafka.topic',
    ],
  },
  DEBEZIUM,
  ...CODEC_NAMES.map((compression): Shape => ({
    ...USER,
    name: compression,
    title: `user events, topic in ${compression}`,
    compression,
  })).filter(({ name }) => name !== 'snappy'),
]

/** The row of `debezium-json`, for the same changes in Avro. */
export const CHANGED_ROW = ROW
