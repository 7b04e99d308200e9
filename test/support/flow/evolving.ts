import { lastValueFrom, toArray } from 'rxjs'
import assert from 'node:assert/strict'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import { loadContract, type Contract } from '../../../src/contract/contract.ts'
import { contractOfTable } from '../../../src/contract/table-contract.ts'
import type { DeadLetter } from '../../../src/core/batch.ts'
import { Credit } from '../../../src/core/credit/credit.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { commitTableChange } from '../../../src/delta/commit/change.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { openMaintainedTable } from '../../../src/delta/maintenance/maintained-table.ts'
import { readRowLines } from '../../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { withReaderFeature } from '../../../src/delta/protocol/upgrade.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { kafkaColumns } from '../../../src/enrichments/kafka-columns.ts'
import type { SchemaEvolution } from '../../../src/evolution/policy.ts'
import { RowColumns } from '../../../src/evolution/row-columns.ts'
import type { Format } from '../../../src/formats/format.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { pipeline } from '../../../src/pipeline.ts'
import type { Store } from '../../../src/storage/store.ts'
import type { Chance } from '../values/chance.ts'
import { FakeSource, type Topic } from './fake-source.ts'

/** The stream of all workers. */
export const APP_ID = 'app'

/** Waits do not wait: nothing here depends on time. */
export const CLOCK = {
  now: () => 1_772_323_200_000,
  sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
}

const KAFKA = kafkaColumns().fields

/** Makes a table of these columns and those of Kafka. */
export async function tableOf(
  store: Store,
  columns: StructType,
  options: { partitionColumns?: readonly string[]; configuration?: Record<string, string> } = {},
): Promise<void> {
  const schema: StructType = { type: 'struct', fields: [...columns.fields, ...KAFKA] }
  await createTable(store, { schema, partitionColumns: [], ...options }, CLOCK)
}

/** What a worker is made of. */
export interface WorkerFacts {
  readonly topic: Topic
  readonly partitions?: readonly number[]
  readonly chance: Chance
  readonly policy?: SchemaEvolution
  /** A JSON Schema; the table takes its place where absent. */
  readonly contract?: object
  readonly flushCount?: number
  readonly learnedMax?: number
  readonly letters?: DeadLetter[]
  /** The format of the topic; JSON where absent. */
  readonly format?: (columns: RowColumns) => Format
  /** True when values are checked by the schemas that they name. */
  readonly checksByWriter?: boolean
}

/** A process that carries a topic: its own view of the table, its own source, nothing shared but the store. */
export interface Worker {
  readonly commits: ReturnType<typeof pipeline>
  readonly columns: RowColumns
  readonly letters: DeadLetter[]
  readonly credit: Credit
  readonly source: FakeSource
  /** Why flushes were given up. */
  readonly unfit: string[]
}

/** Opens one. */
export async function evolvingWorker(store: Store, facts: WorkerFacts): Promise<Worker> {
  const { topic, partitions = [...topic.keys()], chance, policy = 'addNewColumns', letters = [] } = facts
  const table = await openTableWriter(store, { clock: CLOCK, random: () => 0 })
  const partitionColumns = table.metadata.partitionColumns
  const contract = contractFor(facts, table.schema)
  const columns = new RowColumns({
    topic: 'events',
    contract,
    hasWrittenContract: facts.contract !== undefined,
    table,
    addedColumns: KAFKA,
    policy,
    checksByWriter: facts.checksByWriter ?? false,
    ...(facts.learnedMax === undefined ? {} : { inferredFieldsMax: facts.learnedMax }),
  })
  const credit = new Credit(4_000_000)
  const resume = (partition: number): Promise<bigint | undefined> => table.txn(`${APP_ID}-${partition}`)
  const source = new FakeSource({ topic, partitions, credit, chance, resume })
  const unfit: string[] = []
  const commits = pipeline(
    source.batches,
    {
      source,
      credit,
      table,
      store,
      contract,
      columns,
      appId: APP_ID,
      clock: CLOCK,
      format: facts.format?.(columns) ?? jsonFormat(columns),
      enrichments: [kafkaColumns()],
      deadLetters: {
        write: (found) => {
          letters.push(...found)
          return Promise.resolve()
        },
      },
      onFenced: (_, why) => why !== undefined && unfit.push(why),
    },
    {
      partitionColumns,
      flush: { count: facts.flushCount ?? 20, bytes: 1e9, ageMs: 60_000 },
      parquet: { compression: 'none', rowGroupRows: 1000 },
    },
  )
  return { commits, columns, letters, credit, source, unfit }
}

function contractFor({ contract }: WorkerFacts, schema: StructType): Contract {
  if (contract !== undefined) return loadContract(contract, { source: 'test' })
  const added = new Set([...KAFKA.map(({ name }) => name), '_rescued_data'])
  return contractOfTable({ type: 'struct', fields: schema.fields.filter(({ name }) => !added.has(name)) })
}

/** Carries everything; rejects with what stopped the stream. */
export function carryAll(worker: Worker): Promise<PipelineCommit[]> {
  return lastValueFrom(worker.commits.pipe(toArray()))
}

/** A row of a table as `table cat` shows it. */
export type ShownRow = Readonly<Record<string, unknown>>

/** All rows of the newest version, by partition and offset, without the Kafka columns; nulls are left out. */
export async function rowsIn(store: Store): Promise<Map<string, ShownRow>> {
  const rows = new Map<string, ShownRow>()
  for await (const line of readRowLines(store, await loadSnapshot(store))) {
    const row = JSON.parse(line) as Record<string, unknown>
    const place = `${String(row['_kafka_partition'])}/${String(row['_kafka_offset'])}`
    if (rows.has(place)) throw new Error(`${place} is in the table twice`)
    rows.set(place, withoutNulls(row) as ShownRow)
  }
  return rows
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(
    ([name, inner]) => inner !== null && !name.startsWith('_kafka_'),
  )
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutNulls(inner)]))
}

/** Types of the table's columns by their names, without those of Kafka. */
export const typesOf = async (store: Store): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    (await loadSnapshot(store)).metadata.schema.fields
      .filter(({ name }) => !name.startsWith('_kafka_'))
      .map(({ name, type }) => [name, type]),
  )
/** Records of these values. */
export const json = (values: readonly unknown[]): string[] => values.map((value) => JSON.stringify(value))

/** Changes the table's schema as another engine would. */
export async function alter(store: Store, change: (schema: StructType) => StructType): Promise<void> {
  const { state } = await openMaintainedTable(store, 'commit')
  const snapshot = await loadSnapshot(store)
  const schema = change(snapshot.metadata.schema)
  const metaData = { ...state.metadata, schemaString: JSON.stringify(schema) }
  const outcome = await commitTableChange(store, state, {
    operation: 'ALTER TABLE',
    operationParameters: {},
    operationMetrics: {},
    isolationLevel: 'Serializable',
    actions: [{ kind: 'metaData', metaData }],
    conflict: () => undefined,
  })
  assert.equal(outcome.kind, 'committed')
}

/** The schema with one column more. */
export const withField = (schema: StructType, name: string, type: string, nullable = true): StructType => ({
  type: 'struct',
  fields: [...schema.fields, { name, type: type as 'long', nullable, metadata: {} }],
})

/** A store in which another writer is quicker once: `meanwhile` runs before the first put of a data file. */
export function overtaken(store: Store, meanwhile: () => Promise<void>): Store {
  let done = false
  const put: Store['put'] = async (key, body) => {
    if (!done) {
      done = true
      await meanwhile()
    }
    return store.put(key, body)
  }
  return new Proxy(store, {
    get(target, name): unknown {
      if (name === 'put') return put
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}

/** Gives the table a feature of readers and writers, and properties. */
export async function protocolWith(
  store: Store,
  feature: string,
  more: Record<string, string>,
): Promise<void> {
  const { state } = await openMaintainedTable(store, 'commit')
  const { metadata, protocol } = state
  const metaData = { ...metadata, configuration: { ...metadata.configuration, ...more } }
  const outcome = await commitTableChange(store, state, {
    operation: 'SET TBLPROPERTIES',
    operationParameters: {},
    operationMetrics: {},
    isolationLevel: 'Serializable',
    actions: [
      { kind: 'protocol', protocol: withReaderFeature(protocol, feature) },
      { kind: 'metaData', metaData },
    ],
    conflict: () => undefined,
  })
  assert.equal(outcome.kind, 'committed')
}

/** The schema without a column. */
export const without = (schema: StructType, gone: string): StructType => ({
  type: 'struct',
  fields: schema.fields.filter(({ name }) => name !== gone),
})
