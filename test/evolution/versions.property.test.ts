// Goal: two compatible versions of a schema, mixed in any order with restarts at any place, make the columns and rows that a
// table with the newest version from the start has.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { loadConfig } from '../../config/load/load.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import type { DataType, StructType } from '../../src/core/schema.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { runTopics } from '../../src/service/supervision/run-topics.ts'
import { openStore } from '../../src/storage/open/open.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { rowsIn } from '../support/flow/evolving.ts'
import { LiveSource, LiveTopic } from '../support/flow/live-source.ts'
import { scriptedServer, type ScriptedServer } from '../support/network/scripted-http.ts'
import { schemaIn, type EncodedSchema } from '../support/values/version-encoders.ts'
import { compatibleVersions, type Scalar, type Versions } from '../support/values/version-shapes.ts'

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 0x7fff_ffff)
/** `VERSIONS_RUNS` makes a long run. */
const RUNS = Number(process.env['VERSIONS_RUNS'] ?? 10)

/** Schemas by id, and the newest schema of each subject, as the registry serves them. */
const schemas: EncodedSchema[] = []
const newest = new Map<string, EncodedSchema>()
let registry: ScriptedServer

before(async () => {
  registry = await scriptedServer(({ url }) => {
    const [, id, subject = ''] =
      /^\/schemas\/ids\/(\d+)$|^\/subjects\/(.+)\/versions\/latest$/.exec(url.replace(/\?.*/, '')) ?? []
    const schema = id === undefined ? newest.get(subject) : schemas[Number(id)]
    if (schema === undefined) return { status: 404, body: '{"error_code":40401,"message":"not found"}' }
    return { status: 200, body: JSON.stringify({ schema: schema.text, schemaType: schema.type }) }
  })
})
after(() => registry.stop())

/** Describes how records of two versions come. */
interface Mix {
  /** True for each record of the newer version. */
  readonly isNewer: readonly boolean[]
  /** Numbers of records after which the service restarts. */
  readonly restarts: readonly number[]
  /** Number of records before the newer version is registered under the subject; `undefined` without a subject. */
  readonly registeredAt: number | undefined
  readonly flushCount: number
  readonly batchRecordsMax: number
  readonly sampleRecords: number
}

const mixes: fc.Arbitrary<Mix> = fc
  .tuple(
    fc.array(fc.boolean(), { maxLength: 12 }),
    fc.array(fc.boolean(), { maxLength: 12 }),
    fc.boolean(),
    fc.array(fc.nat(26), { maxLength: 3 }),
    fc.option(fc.nat(26), { nil: undefined }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
  )
  .map(([head, tail, first, cuts, registered, flushCount, batchRecordsMax, sampleRecords]) => {
    // Each version has a record at least.
    const isNewer = [...head, first, !first, ...tail]
    const restarts = [...new Set(cuts)].filter((cut) => cut > 0 && cut < isNewer.length).sort((a, b) => a - b)
    const registeredAt = registered === undefined ? undefined : Math.min(registered, isNewer.indexOf(true))
    return { isNewer, restarts, registeredAt, flushCount, batchRecordsMax, sampleRecords }
  })

interface Carried {
  readonly columns: unknown
  readonly rows: Map<string, unknown>
  readonly letters: readonly DeadLetter[]
}

let tables = 0

/** Carries the values through the service into a new table, restarting it after `restarts` records. */
async function carry(
  values: readonly Uint8Array[],
  options: object,
  { restarts, batchRecordsMax }: Pick<Mix, 'restarts' | 'batchRecordsMax'>,
  register: (subject: string, records: number) => void,
  properties: object = { 'delta.enableTypeWidening': 'true' },
): Promise<Carried> {
  const uri = `memory:versions-${++tables}`
  const subject = `versions-${tables}`
  const config = loadConfig({
    object: {
      kafka: { brokers: ['127.0.0.1:1'], groupId: 'versions' },
      schemaRegistry: { url: registry.endpoint },
      topics: {
        events: {
          subject,
          kafkaColumns: true,
          table: { uri, properties },
          ...options,
        },
      },
    },
  })
  const letters: DeadLetter[] = []
  const topic = new LiveTopic()
  for (const [index, start] of [0, ...restarts].entries()) {
    topic.push(values.slice(start, restarts[index]))
    register(subject, start)
    await runTopics(config, {
      until: 'latest',
      log: createLogger({ level: 'silent' }),
      connectors: {
        source: (each) => new LiveSource(topic, each, batchRecordsMax),
        deadLetters: () => ({
          write: (found) => {
            letters.push(...found)
            return Promise.resolve({ written: found.length, skipped: 0 })
          },
          close: () => Promise.resolve(),
        }),
      },
    })
  }
  const store = await openStore(uri)
  const { schema } = (await loadSnapshot(store)).metadata
  return { columns: typesOf(schema), rows: await rowsIn(store), letters }
}

/** Returns the types of columns by name, at every depth: their order, metadata and nullability may differ. */
function typesOf(type: DataType | StructType): unknown {
  if (typeof type === 'string') return type
  if (type.type === 'array') return [typesOf(type.elementType)]
  if (type.type === 'map') return { map: typesOf(type.valueType) }
  return Object.fromEntries(
    type.fields
      .filter(({ name }) => !name.startsWith('_kafka_'))
      .map(({ name, type: inner }): [string, unknown] => [name, typesOf(inner)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** Returns the values of a mix, each with the id of its schema if the format has a registry. */
function valuesOf(
  format: keyof typeof FORMATS,
  older: Versions['older'],
  newer: Versions['newer'],
  { isNewer }: Pick<Mix, 'isNewer'>,
): readonly Buffer[] {
  const both = [schemaIn(format, older), schemaIn(format, newer)] as const
  const id = schemas.push(...both) - 2
  return isNewer.map((newest, seed) => {
    const value = both[newest ? 1 : 0].encode(seed)
    return FORMATS[format].framing === 'registry' ? framed(id + Number(newest), value) : value
  })
}

function framed(id: number, value: Buffer): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  return Buffer.concat([header, value])
}

const FORMATS = {
  avro: { format: 'avro', framing: 'registry' },
  protobuf: { format: 'protobuf', framing: 'registry' },
  json: { format: 'json', framing: 'registry' },
  container: { format: 'avro', framing: 'container' },
  debezium: { format: 'avro', framing: 'registry', envelope: 'debezium', debezium: { fields: ['op'] } },
} as const

for (const format of ['avro', 'protobuf', 'json', 'container', 'debezium'] as const)
  test(`${format}: two compatible versions in any order make the columns and rows of the newest`, async (t) => {
    t.diagnostic(`seed ${SEED}; TEST_SEED=${SEED} repeats it`)
    await fc.assert(
      fc.asyncProperty(compatibleVersions, mixes, async ({ older, newer, union }, mix) => {
        const { framing, ...rest } = FORMATS[format]
        const options = {
          ...rest,
          flush: { count: mix.flushCount },
          inference: { records: mix.sampleRecords },
        }
        const mixed = await carry(
          valuesOf(format, older, newer, mix),
          { ...options, framing },
          mix,
          (subject, at) => {
            const { registeredAt } = mix
            if (registeredAt !== undefined && framing === 'registry')
              newest.set(subject, schemaIn(format, at >= registeredAt ? newer : older))
          },
        )
        assert.deepEqual(mixed.letters, [])
        assert.equal(mixed.rows.size, mix.isNewer.length)

        // Containers name no subject, so the newest version of theirs is that of framed values.
        const framedFormat = format === 'container' ? 'avro' : format
        const oracle = await carry(
          valuesOf(framedFormat, older, newer, mix),
          { ...options, framing: 'registry' },
          { restarts: [], batchRecordsMax: 100 },
          (subject) => newest.set(subject, schemaIn(framedFormat, union)),
        )
        assert.deepEqual(oracle.letters, [])
        assert.deepEqual(mixed.columns, oracle.columns)
        assert.deepEqual(mixed.rows, oracle.rows)
      }),
      { numRuns: RUNS, seed: SEED },
    )
  })

function versionWith(kind: Scalar): Versions['newer'] {
  const fields = ['id', 'v'].map((name, index) => ({
    name,
    number: index + 1,
    shape: { kind: index === 0 ? 'int' : kind } as const,
    required: true,
  }))
  return { kind: 'record', fields }
}

/** Changes that no table makes, or only one with type widening; properties of the table, and what a dead letter says. */
const REFUSED = [
  ['long', 'double', undefined, /\/v expected an integer, got 2\.6/],
  ['int', 'long', {}, /\/v expected an integer from -2147483648 to 2147483647/],
] as const

for (const [from, to, properties, message] of REFUSED)
  test(`${from} → ${to} ${properties === undefined ? '' : 'without type widening '}makes dead letters, and the next start is refused`, async () => {
    const [older, newer] = [versionWith(from), versionWith(to)]
    const mix = { isNewer: [false, true, false, true], restarts: [], batchRecordsMax: 1 }
    for (const format of ['avro', 'json'] as const) {
      const values = valuesOf(format, older, newer, mix)
      const options = { ...FORMATS[format], flush: { count: 2 } }
      const registerAt = (at: number) => (subject: string, records: number) =>
        void newest.set(subject, schemaIn(format, records >= at ? newer : older))
      const { columns, rows, letters } = await carry(values, options, mix, registerAt(Infinity), properties)
      assert.deepEqual(columns, { id: 'integer', v: from === 'int' ? 'integer' : from })
      assert.deepEqual([...rows.keys()], ['0/0', '0/2'])
      assert.deepEqual(
        letters.map(({ offset, reason }) => [offset, reason]),
        [
          [1n, 'type'],
          [3n, 'type'],
        ],
      )
      assert.match(letters[0]?.message ?? '', message)
      const restarted = carry(values, options, { ...mix, restarts: [2] }, registerAt(2), properties)
      await assert.rejects(restarted, { code: 'KD_SCHEMA_MISMATCH', message: /column v: expected / })
    }
  })
