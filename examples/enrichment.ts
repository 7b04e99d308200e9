/**
 * Enrichment from a reference table: orders get the segment and the country of their customer from another
 * Delta table. One version of the reference is held in memory; a newer one replaces it between batches.
 *
 * In your own project, import from 'kafka-delta'.
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
  readRowLines,
  tableExists,
  type PipelineCommit,
  type DeadLetterSink,
  type ReferenceTable,
  type Row,
  type Source,
  type Store,
  type StructField,
  type TableWriter,
} from '../src/index.ts'

/** Contract of an order. */
const contract = loadContract(
  {
    type: 'object',
    required: ['order', 'customer'],
    properties: { order: { type: 'string' }, customer: { type: 'integer' }, total: { type: 'number' } },
  },
  { source: 'orders' },
)

/** Columns that are added from the customer. */
const fields: readonly StructField[] = [
  { name: 'segment', type: 'string', nullable: true, metadata: {} },
  { name: 'country', type: 'string', nullable: true, metadata: {} },
]

const partitionColumns = ['country']
const MIB = 2 ** 20

/** Reads the current version of the reference table into a map by customer number. */
export async function readCustomers(store: Store): Promise<ReferenceTable> {
  const customers = new Map<string, Row>()
  const snapshot = await loadSnapshot(store)
  for await (const line of readRowLines(store, snapshot, { columns: ['id', 'segment', 'country'] })) {
    const customer = JSON.parse(line) as Row
    customers.set(String(customer['id']), customer)
  }
  return customers
}

/** Holds the dependencies of the chain. */
export interface Orders {
  /** Opens the source of orders, such as `createSource`, which resumes at the offsets in the table. */
  readonly open: (table: TableWriter, credit: Credit) => Pick<Source, 'batches' | 'commitOffsets' | 'reset'>
  /** Store of the table of orders; the table is created if it does not exist. */
  readonly store: Store
  /** Returns the latest reference; called before each batch. */
  readonly customers: () => ReferenceTable
  readonly deadLetters: DeadLetterSink
}

/** Ingests orders into their table until the source completes. */
export async function carryOrders({
  open,
  store,
  customers,
  deadLetters,
}: Orders): Promise<readonly PipelineCommit[]> {
  const lookup = lookupColumns({ from: 'customer', fields, reference: customers })
  if (!(await tableExists(store))) {
    const schema = { type: 'struct', fields: [...contract.schema.fields, ...lookup.fields] } as const
    await createTable(store, { schema, partitionColumns })
  }
  const table = await openTableWriter(store)
  // At least twice `flush.bytes`, so that one flush can fill while another is written.
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
