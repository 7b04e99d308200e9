import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { concatMap, from, lastValueFrom, toArray } from 'rxjs'
import { decode } from '../../../operators/decode.ts'
import { validate } from '../../../operators/validate.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import type { Rows } from '../../../src/arrow/rows.ts'
import { contractOfTable } from '../../../src/contract/table-contract.ts'
import type { Raw } from '../../../src/core/raw.ts'
import type { StructType } from '../../../src/core/schema.ts'
import type { SchemaEvolution } from '../../../src/evolution/policy.ts'
import { RowColumns } from '../../../src/evolution/row-columns.ts'
import { debeziumColumns } from '../../../src/formats/debezium/columns.ts'
import { openFormat, type FormatChoice } from '../../../src/formats/open/open.ts'
import type { ColumnThreads } from '../../../src/formats/open/read-ahead.ts'
import { mainThreadReason } from '../../../src/formats/open/thread-format.ts'
import type { RegisteredSchema } from '../../../src/registry/registry.ts'
import { provenanceOf, rawOf, structOf } from '../../support/flow/batches.ts'
import { shapeOf } from '../../support/flow/layouts.ts'
import { instantThreads } from '../../support/threads/instant-threads.ts'
import { encoderOf } from '../../support/values/avro-values.ts'
import { protoEncoderOf } from '../../support/values/proto-values.ts'
import { VALUES } from '../../support/values/csv.ts'

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-threads-'))
after(() => rm(folder, { recursive: true, force: true }))

const BATCHES = 3
const BATCH = 900
const COLUMNS = structOf({ id: 'long', name: 'string', score: 'double' })

const AVRO = {
  type: 'record',
  name: 'Row',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'name', type: ['null', 'string'], default: null },
    { name: 'score', type: 'double' },
  ],
}
const AVRO_WIDER = { ...AVRO, fields: [...AVRO.fields, { name: 'more', type: 'int' }] }
const PROTO = `syntax = "proto3"; package p; import "inner.proto";
message Row { int64 id = 1; string name = 2; double score = 3; }
message Other { Inner inner = 1; }`
const PROTO_INNER = 'syntax = "proto3"; package p; message Inner { int32 of = 1; }'
const PROTO_ALONE = `syntax = "proto3"; package p;
message Row { int64 id = 1; string name = 2; double score = 3; }`
const REGISTERED: Readonly<Record<number, RegisteredSchema>> = {
  1: { type: 'AVRO', text: JSON.stringify(AVRO), references: [] },
  2: { type: 'AVRO', text: JSON.stringify(AVRO_WIDER), references: [] },
  3: { type: 'PROTOBUF', text: PROTO_ALONE, references: [] },
  4: {
    type: 'JSON',
    text: JSON.stringify({
      type: 'object',
      properties: { id: { type: 'integer' }, name: { type: 'string' }, score: { type: 'number' } },
    }),
    references: [],
  },
}
const registry = {
  url: 'memory',
  schema: (id: number | string) => Promise.resolve(REGISTERED[Number(id)]),
  latest: () => Promise.resolve(undefined),
}

/** Describes a topic: its format, and its values by their number. */
interface Case {
  readonly choice: Partial<FormatChoice> & { readonly format: string }
  readonly columns?: StructType
  readonly value: (i: number) => string | Uint8Array
}

const framed = (id: number, ...value: readonly Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.of(0, 0, 0, 0, id), ...value])
const rowOf = (i: number): { id: number; name: string; score: number } => ({
  id: i,
  name: i % 7 === 0 ? 'with "quotes"' : `name ${i}`,
  score: i / 4,
})
const json = (i: number): string =>
  JSON.stringify({ ...rowOf(i), ...(i % 50 === 3 ? { extra: { deep: i } } : {}) })
const avro = encoderOf(AVRO)
const avroRow = (i: number): Buffer => avro({ id: BigInt(i), name: { string: `name ${i}` }, score: i / 4 })
const widerAvro = encoderOf(AVRO_WIDER)
const proto = protoEncoderOf(PROTO_ALONE, 'p.Row')
const eventOf = (i: number): object => ({
  before: null,
  after: rowOf(i),
  source: { table: 'orders', ts_ms: 1_700_000_000_000 + i },
  op: i % 100 === 5 ? 'x' : 'c',
})
const DEBEZIUM = { envelope: 'debezium', debezium: { fields: ['op', 'source.ts_ms'] } } as const
const EVENT_COLUMNS: StructType = {
  type: 'struct',
  fields: [...COLUMNS.fields, ...debeziumColumns(DEBEZIUM.debezium.fields)],
}
const AVRO_EVENT = {
  type: 'record',
  name: 'Envelope',
  fields: [
    { name: 'before', type: ['null', { ...AVRO, name: 'Value' }], default: null },
    { name: 'after', type: ['null', 'Value'], default: null },
    {
      name: 'source',
      type: { type: 'record', name: 'Source', fields: [{ name: 'ts_ms', type: 'long' }] },
    },
    { name: 'op', type: 'string' },
  ],
}
const avroEvent = encoderOf(AVRO_EVENT)

const CASES: Readonly<Record<string, () => Promise<Case> | Case>> = {
  json: () => ({ choice: { format: 'json' }, value: json }),
  'json in gzip': () => ({
    choice: { format: 'json', decompress: 'auto' },
    value: (i) => (i % 2 === 0 ? gzipSync(json(i)) : json(i)),
  }),
  'registered json': () => ({
    choice: { format: 'json', framing: 'registry', registry },
    value: (i) => framed(i % 70 === 9 ? 77 : 4, Buffer.from(json(i))),
  }),
  avro: async () => ({
    choice: { format: 'avro', avro: { schema: await file('row.avsc', AVRO) } },
    value: avroRow,
  }),
  'avro for a reader': async () => ({
    choice: {
      format: 'avro',
      avro: { schema: await file('wider.avsc', AVRO_WIDER), readerSchema: await file('row.avsc', AVRO) },
    },
    value: (i) => widerAvro({ id: BigInt(i), name: { string: `a long name ${i}` }, score: i, more: i }),
  }),
  'registered avro': () => ({
    choice: { format: 'avro', framing: 'registry', registry },
    value: (i) =>
      i < 1000 || i % 90 > 2
        ? framed(i % 70 === 9 ? 77 : 1, avroRow(i))
        : framed(2, widerAvro({ id: BigInt(i), name: null, score: i, more: i })),
  }),
  protobuf: async () => {
    await file('inner.proto', PROTO_INNER)
    return {
      choice: { format: 'protobuf', protobuf: { schema: await file('row.proto', PROTO) } },
      value: protoRow,
    }
  },
  'registered protobuf': () => ({
    choice: { format: 'protobuf', framing: 'registry', registry },
    value: (i) => framed(3, Buffer.of(0), protoRow(i)),
  }),
  csv: () => ({
    choice: { format: 'csv' },
    value: (i) => `${i},${i % 9 === 0 ? '"a, b"' : 'a somewhat longer name'},${i / 4}`,
  }),
  text: () => ({
    choice: { format: 'text' },
    columns: structOf({ value: 'string' }),
    value: (i) => `text number ${i} of these`,
  }),
  'events in json': () => ({
    choice: { format: 'json', ...DEBEZIUM },
    columns: EVENT_COLUMNS,
    value: (i) => JSON.stringify(eventOf(i)),
  }),
  'events in avro': async () => ({
    choice: { format: 'avro', ...DEBEZIUM, avro: { schema: await file('event.avsc', AVRO_EVENT) } },
    columns: EVENT_COLUMNS,
    value: (i) =>
      avroEvent({
        before: null,
        after: { Value: { id: BigInt(i), name: { string: `name ${i}` }, score: 1 } },
        source: { ts_ms: BigInt(i) },
        op: 'c',
      }),
  }),
}

function protoRow(i: number): Buffer {
  // Field 9 is in no file.
  return Buffer.concat([proto(rowOf(i)), ...(i % 60 === 4 ? [Buffer.of(72, 1)] : [])])
}

async function file(name: string, content: object | string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

/** Returns batches of which some records are missing, cut or strange. */
function batchesOf({ choice, value }: Case): readonly Raw[] {
  // Events in JSON become objects if any byte of the batch is no UTF-8.
  const strange = choice.envelope === undefined ? Buffer.from([0xff, 0xfe, 0x30]) : Buffer.from('strange')
  const valueAt = (i: number): string | Uint8Array | null => {
    if (i % 97 === 11) return null
    const made = value(i)
    if (i % 89 === 12) return made.slice(0, made.length - 3)
    return i % 83 === 13 ? strange : made
  }
  return Array.from({ length: BATCHES }, (_, batch) => {
    const first = batch * BATCH
    const values = Array.from({ length: BATCH }, (__, i) => valueAt(first + i))
    return rawOf(values, { first: BigInt(first) })
  })
}

/** Runs batches through the format and the validation, one after the other, and returns what became of them. */
async function runCase(of: Case, policy: SchemaEvolution, threads?: ColumnThreads): Promise<unknown> {
  const table = of.columns ?? COLUMNS
  const contract = contractOfTable(table)
  const columns = new RowColumns({
    ...{ topic: 'events', contract, hasWrittenContract: false, addedColumns: [], policy },
    table: { shape: shapeOf(table), uri: 'memory' },
  })
  const choice = { ...VALUES, framing: 'none', decompress: 'none', ...of.choice } as FormatChoice
  const format = await openFormat(choice, columns, threads)
  const batches = from(batchesOf(of)).pipe(
    concatMap((payload) => {
      const batch = { payload, provenance: provenanceOf({ records: payload.count }) }
      return from([batch]).pipe(decode(format), validate(contract, columns))
    }),
    toArray(),
  )
  return (await lastValueFrom(batches)).map(({ payload }) => outcomeOf(payload))
}

function outcomeOf(rows: Rows): unknown {
  const { columns, records, deadLetters, tombstones, filtered, droppedFields = 0, droppedPaths = [] } = rows
  return {
    ...{ columns: columns.schema, records: [...records], tombstones, filtered, droppedFields },
    rows: Array.from(records, (_, row) => rowAt(columns, row)),
    deadLetters,
    slow: Object.values(rows.slow ?? {}).reduce<number>((sum, count = 0) => sum + count, 0),
    paths: [...new Set(droppedPaths.flatMap(({ paths }) => [...paths]))].sort(),
  }
}

for (const [name, open] of Object.entries(CASES))
  for (const policy of ['none', 'addNewColumns', 'rescue'] as const)
    test(`threads give what the main thread gives: ${name}, policy ${policy}`, async () => {
      const of = await open()
      const expected = await runCase(of, policy)
      let rows = 0
      const inner = instantThreads()
      const threads: ColumnThreads = {
        readColumns: async (...args) => {
          const read = await inner.readColumns(...args)
          rows += read?.rows.records.length ?? 0
          return read
        },
      }
      assert.deepEqual(await runCase(of, policy, threads), expected)
      assert.ok(rows > BATCH, `threads have read ${rows} rows`)
    })

test('schema files that change after the format is open do not change what threads read', async () => {
  const of = await (CASES['avro'] as () => Promise<Case>)()
  const expected = await runCase(of, 'none')
  const inner = instantThreads()
  let rows = 0
  const threads: ColumnThreads = {
    readColumns: async (...args) => {
      await file('row.avsc', { ...AVRO, fields: AVRO.fields.slice(1) })
      const read = await inner.readColumns(...args)
      rows += read?.rows.records.length ?? 0
      return read
    },
  }
  assert.deepEqual(await runCase(of, 'none', threads), expected)
  assert.ok(rows > BATCH)
})

test('formats that stay on the main thread say why', async () => {
  const choice = (of: Partial<FormatChoice>): FormatChoice => ({
    ...{ ...VALUES, framing: 'none', decompress: 'none', format: 'json', ...of },
  })
  const subjectOf = (of: Partial<FormatChoice>): string | undefined => mainThreadReason(choice(of))?.subject
  assert.equal(subjectOf({}), undefined)
  assert.equal(subjectOf({ format: 'jsonl' }), 'format')
  assert.equal(subjectOf({ format: 'avro', framing: 'container' }), 'format')
  assert.equal(subjectOf({ formats: ['json', 'avro'] }), 'formats')
  assert.equal(subjectOf({ format: 'csv', envelope: 'debezium' }), 'envelope')
  const format = await openFormat(choice({ format: 'jsonl' }), contractOfTable(COLUMNS), instantThreads())
  assert.ok(!('readAhead' in format))
})
