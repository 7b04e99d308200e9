/**
 * Enrichment from a reference table: orders get the segment and the country of their customer, which stand in another
 * Delta table. The reference is read as of one version and held in memory; a newer one takes its place between batches.
 *
 * In a project of your own the imports come from 'kafka-delta'.
 */
import { lastValueFrom, toArray } from 'rxjs'
import {
  createTable,
  Credit,
  jsonFormat,
  loadContract,
  loadSnapshot,
  lookupColumns,
  openTableWriter,
  pipeline,
  rowLines,
  tableExists,
  type Commit,
  type DeadLetterSink,
  type Reference,
  type Row,
  type Source,
  type Store,
  type StructField,
  type TableWriter,
} from '../src/index.ts'

/** What an order must be. */
const contract = loadContract(
  {
    type: 'object',
    required: ['order', 'customer'],
    properties: { order: { type: 'string' }, customer: { type: 'integer' }, total: { type: 'number' } },
  },
  { source: 'orders' },
)

/** What an order gets from its customer. */
const fields: readonly StructField[] = [
  { name: 'segment', type: 'string', nullable: true, metadata: {} },
  { name: 'country', type: 'string', nullable: true, metadata: {} },
]

const partitionColumns = ['country']
const MIB = 2 ** 20

/** The reference table as it is now, by the customer's number. */
export async function readCustomers(store: Store): Promise<Reference> {
  const customers = new Map<string, Row>()
  const snapshot = await loadSnapshot(store)
  for await (const line of rowLines(store, snapshot, { columns: ['id', 'segment', 'country'] })) {
    const customer = JSON.parse(line) as Row
    customers.set(String(customer['id']), customer)
  }
  return customers
}

/** What the chain works with. */
export interface Orders {
  /** The orders in Kafka: what `createSource` makes, told where the table stands. */
  readonly open: (table: TableWriter, credit: Credit) => Pick<Source, 'batches' | 'commitOffsets' | 'reset'>
  /** The table of orders; created where it is absent. */
  readonly store: Store
  /** The newest reference; asked before each batch. */
  readonly customers: () => Reference
  readonly deadLetters: DeadLetterSink
}

/** Carries orders into their table until the source completes. */
export async function carryOrders({
  open,
  store,
  customers,
  deadLetters,
}: Orders): Promise<readonly Commit[]> {
  const lookup = lookupColumns({ from: 'customer', fields, reference: customers })
  if (!(await tableExists(store))) {
    const schema = { type: 'struct', fields: [...contract.schema.fields, ...lookup.fields] } as const
    await createTable(store, { schema, partitionColumns })
  }
  const table = await openTableWriter(store)
  // At least twice `flush.bytes`: one flush fills while another is written.
  const credit = new Credit(64 * MIB)
  const source = open(table, credit)
  const commits = pipeline(
    source.batches,
    {
      source,
      credit,
      format: jsonFormat({ schema: contract.schema, plain: contract.plain }),
      contract,
      enrichments: [lookup],
      store,
      table,
      appId: 'orders',
      deadLetters,
    },
    {
      partitionColumns,
      flush: { count: 100_000, bytes: 32 * MIB, ageMs: 60_000 },
      parquet: { compression: 'zstd', rowGroupRows: 100_000 },
    },
  )
  return await lastValueFrom(commits.pipe(toArray()))
}
