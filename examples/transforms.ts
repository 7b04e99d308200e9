/**
 * Transforms in a custom chain: orders of several shops get a day, a hashed customer and their position in
 * Kafka; test orders are filtered, and orders that violate a rule become dead letters.
 *
 * In your own project, import from 'kafka-delta'.
 */
import { lastValueFrom, toArray, type Observable } from 'rxjs'
import { decode } from '../operators/decode.ts'
import { transform } from '../operators/transform.ts'
import { validate } from '../operators/validate.ts'
import { objectsOf, type Row } from '../src/arrow/rows.ts'
import { contractOfTable } from '../src/contract/table-contract.ts'
import type { Batch, DeadLetter } from '../src/core/batch.ts'
import type { Raw } from '../src/core/raw.ts'
import { jsonFormat } from '../src/formats/json/format.ts'
import { columnsAfter } from '../src/transforms/columns.ts'
import { compileTransforms } from '../src/transforms/compile.ts'

/** Columns of the messages. */
const messages = contractOfTable({
  type: 'struct',
  fields: [
    { name: 'order', type: 'string', nullable: true, metadata: {} },
    { name: 'customer', type: 'string', nullable: true, metadata: {} },
    { name: 'at', type: 'string', nullable: true, metadata: {} },
    { name: 'total', type: 'double', nullable: true, metadata: {} },
  ],
})

const transformation = compileTransforms(
  {
    rules: [
      { name: 'has a total', when: '!total || total < `0`', error: 'the total is missing or negative' },
    ],
    filter: "!starts_with(order, 'test-')",
    transforms: {
      day: { expr: 'substr(at, `0`, `10`)', type: 'date' },
      customer: 'sha256(lower(customer))',
      'kafka.partition': 'kafka.partition',
      'kafka.offset': 'kafka.offset',
    },
    drop: ['at'],
    rename: { order: 'order_id' },
  },
  messages.schema,
)

/** Columns of the rows after the transforms, for creating the table. */
export const columns = contractOfTable(columnsAfter(messages.schema, transformation))

/** Holds the rows, the dead letters and the number of filtered orders. */
export interface TransformResult {
  readonly rows: readonly Row[]
  readonly deadLetters: readonly DeadLetter[]
  readonly filtered: number
}

/** Transforms `batches` of orders; the chain can continue as in `custom-chain.ts`. */
export async function transformOrders(batches: Observable<Batch<Raw>>): Promise<TransformResult> {
  const format = jsonFormat({ schema: messages.schema, plain: undefined })
  const all = await lastValueFrom(
    batches.pipe(decode(format), transform(transformation), validate(columns), toArray()),
  )
  return {
    rows: all.flatMap(({ payload }) => objectsOf(payload)),
    deadLetters: all.flatMap(({ payload }) => payload.deadLetters),
    filtered: all.reduce((sum, { payload }) => sum + payload.filtered, 0),
  }
}
