/**
 * Fan-out: one topic into two tables, exactly once into each. Payments go to one table, all other events to
 * another.
 *
 * Each table has its own chain, source and consumer group. So each table's `txn` determines where its own
 * source resumes, each group's offsets follow one table, and a table whose store is down does not block the
 * other. The cost: the topic is fetched and decoded once per table.
 *
 * In your own project, import from 'kafka-delta'.
 */
import { lastValueFrom, toArray } from 'rxjs'
import {
  appIdOf,
  createSource,
  createTable,
  Credit,
  filterRows,
  jsonFormat,
  loadContract,
  openTableWriter,
  pipeline,
  rowBytesMin,
  storedTopicIdOf,
  tableExists,
  type PipelineCommit,
  type DeadLetterSink,
  type KafkaSource,
  type Log,
  type Row,
  type Store,
  type TableWriter,
} from '../src/index.ts'

/** Contract of an event. */
const contract = loadContract(
  {
    type: 'object',
    required: ['id', 'kind'],
    properties: { id: { type: 'integer' }, kind: { type: 'string' }, amount: { type: 'number' } },
  },
  { source: 'event' },
)

/** Describes one of the tables. */
export interface Route {
  /** Part of its consumer group and appId; a renamed route starts again from the beginning. */
  readonly name: string
  readonly store: Store
  /** Selects its rows; others are counted as filtered. */
  readonly keep: (row: Row) => boolean
  /** Every route reads every invalid record: let one route store the dead letters and the others drop them. */
  readonly deadLetters: DeadLetterSink
}

/** Describes the topic that is ingested. */
export interface Topic {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly groupId: string
  readonly until: 'stopped' | 'latest'
  readonly log: Log
}

const isPayment = (row: Row): boolean => row['kind'] === 'payment'
const MIB = 2 ** 20

/** Returns the routes: payments, and all other events. */
export function routesOf(payments: Store, others: Store, deadLetters: DeadLetterSink): readonly Route[] {
  const dropped: DeadLetterSink = { write: () => Promise.resolve() }
  return [
    { name: 'payments', store: payments, keep: isPayment, deadLetters },
    { name: 'others', store: others, keep: (row) => !isPayment(row), deadLetters: dropped },
  ]
}

/** Ingests the topic into all tables. A failing route does not stop the others; its outcome has the error. */
export function fanOut(
  topic: Topic,
  routes: readonly Route[],
): Promise<PromiseSettledResult<readonly PipelineCommit[]>[]> {
  return Promise.allSettled(routes.map((route) => carryRoute(topic, route)))
}

async function carryRoute(topic: Topic, route: Route): Promise<readonly PipelineCommit[]> {
  const { store, keep, deadLetters } = route
  const { schema, plain } = contract
  if (!(await tableExists(store))) await createTable(store, { schema, partitionColumns: [] })
  const table = await openTableWriter(store)
  const credit = new Credit(64 * MIB)
  const source = sourceOf(topic, route, table, credit)
  const commits = pipeline(
    source.batches,
    {
      source,
      credit,
      format: jsonFormat({ schema, plain }),
      contract,
      rows: filterRows(keep), // between `validate` and `enrich`
      enrichments: [],
      store,
      table,
      appId: route.name,
      deadLetters,
    },
    {
      partitionColumns: [],
      flush: { count: 100_000, bytes: 32 * MIB, ageMs: 60_000 },
      parquet: { compression: 'zstd', rowGroupRows: 100_000 },
    },
  )
  try {
    return await lastValueFrom(commits.pipe(toArray()))
  } finally {
    await source.close()
  }
}

function sourceOf(
  { brokers, topic, groupId, until, log }: Topic,
  route: Route,
  table: TableWriter,
  credit: Credit,
): KafkaSource {
  const rowBytes = rowBytesMin(table.schema)
  return createSource({
    brokers,
    clientId: 'fan-out',
    log,
    // Members of one group share the partitions, but each route must read all of them.
    groupId: `${groupId}-${route.name}`,
    topic,
    until,
    startFrom: 'earliest',
    // The table determines where reading resumes.
    resume: (partition) => table.txn(appIdOf(route.name, partition)),
    // A topic of the same name that was created again is refused.
    storedTopicId: storedTopicIdOf(table, route.name),
    credit,
    costBytes: (raw) => raw.bytes.length + raw.keys.length + raw.count * rowBytes,
  })
}
