/**
 * Fan-out: one topic into two tables, exactly once into each. Payments go to one table, everything else to another.
 *
 * Each table has a chain and a source of its own, in a consumer group of its own. So each table's `txn` says where its own
 * reading goes on, each group's offsets follow one table alone, and a table whose store is down keeps no other waiting.
 * The price: the topic is fetched and decoded once for each table.
 *
 * In a project of your own the imports come from 'kafka-delta'.
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
  tableExists,
  type Commit,
  type DeadLetterSink,
  type KafkaSource,
  type Log,
  type Row,
  type Store,
  type TableWriter,
} from '../src/index.ts'

/** What an event must be. */
const contract = loadContract(
  {
    type: 'object',
    required: ['id', 'kind'],
    properties: { id: { type: 'integer' }, kind: { type: 'string' }, amount: { type: 'number' } },
  },
  { source: 'event' },
)

/** One of the tables. */
export interface Route {
  /** Part of its group and its appId: a route that is renamed begins anew. */
  readonly name: string
  readonly store: Store
  /** Which rows it takes; the others are counted as filtered. */
  readonly keep: (row: Row) => boolean
  /** Every route meets every bad record: give them to one route, and let the others drop them. */
  readonly deadLetters: DeadLetterSink
}

/** The topic that is carried. */
export interface Topic {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly groupId: string
  readonly until: 'stopped' | 'latest'
  readonly log: Log
}

const isPayment = (row: Row): boolean => row['kind'] === 'payment'
const MIB = 2 ** 20

/** Payments and everything else. */
export function routesOf(payments: Store, others: Store, deadLetters: DeadLetterSink): readonly Route[] {
  const dropped: DeadLetterSink = { write: () => Promise.resolve() }
  return [
    { name: 'payments', store: payments, keep: isPayment, deadLetters },
    { name: 'others', store: others, keep: (row) => !isPayment(row), deadLetters: dropped },
  ]
}

/** Carries the topic into all tables. A route that fails does not stop the others; its outcome says why. */
export function fanOut(
  topic: Topic,
  routes: readonly Route[],
): Promise<PromiseSettledResult<readonly Commit[]>[]> {
  return Promise.allSettled(routes.map((route) => carryRoute(topic, route)))
}

async function carryRoute(topic: Topic, route: Route): Promise<readonly Commit[]> {
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
    // Members of one group share the partitions among them; these each want all of them.
    groupId: `${groupId}-${route.name}`,
    topic,
    until,
    startFrom: 'earliest',
    // Only the table knows what it holds.
    resume: (partition) => table.txn(appIdOf(route.name, partition)),
    credit,
    costBytes: (raw) => raw.bytes.length + raw.keys.length + raw.count * rowBytes,
  })
}
