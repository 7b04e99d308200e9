/** Holds programs with formats and JSON Schemas that the compiler must accept, and lines that it must refuse. */
import type { Observable } from 'rxjs'
import { filterRows } from '../../operators/rows/filter-rows.ts'
import { mapRows } from '../../operators/rows/map-rows.ts'
import type { RowOperator } from '../../operators/rows/row-operator.ts'
import { tapRows } from '../../operators/rows/tap-rows.ts'
import type { Rows } from '../../src/arrow/rows.ts'
import type { Contract } from '../../src/contract/contract.ts'
import type { ExactNumber } from '../../src/core/exact.ts'
import { avro, debezium, json, text } from '../../src/library/formats.ts'
import type { TopicFormat } from '../../src/library/topic-format.ts'
import { columnOf, columnsOf, rowsWith } from '../../src/rows/build-rows.ts'
import { jsonSchema } from '../../src/rows/json-schema.ts'
import { columns } from '../../src/rows/row-schema.ts'
import type { Infer, InferInput } from '../../src/rows/row-types.ts'
import { expectType } from './expect.ts'

const order = jsonSchema({
  type: 'object',
  required: ['id', 'status', 'lines', 'paid', 'gone'],
  properties: {
    id: { type: 'integer' },
    at: { type: 'string', format: 'date-time' },
    status: { enum: ['open', 'closed'] },
    kind: { const: 'order' },
    price: { type: 'number', 'x-delta-type': 'decimal(10,2)' },
    paid: { type: 'boolean' },
    gone: { type: ['string', 'null'] },
    lines: {
      type: 'array',
      items: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } },
    },
    tags: { type: 'object', additionalProperties: { type: 'string' } },
  },
})
type Order = Infer<typeof order>

const total = columns({ id: 'long', cents: 'double?' })

export function jsonSchemasGiveTypes(row: Order, input: InferInput<typeof order>): void {
  expectType<{
    readonly id: number | bigint
    readonly at: string | null
    readonly status: 'open' | 'closed'
    readonly kind: 'order' | null
    readonly price: ExactNumber | null
    readonly paid: boolean
    readonly gone: string | null
    readonly lines: readonly { readonly sku: string }[]
    readonly tags: Readonly<Record<string, string>> | null
  }>()(row)
  expectType<string | Date | null | undefined>()(input.at)
  expectType<string | null | undefined>()(input.gone)
  expectType<ExactNumber | string | number | bigint | null | undefined>()(input.price)
}

/** Takes a format and operators as a chain does. */
declare function chain<A extends object, B extends object, C extends object, D extends object>(
  options: { readonly format: TopicFormat<A> },
  op1: RowOperator<A, B>,
  op2: RowOperator<B, C>,
  op3: RowOperator<C, D>,
): Observable<D>

export function typesFlowFromTheFormatThroughThreeOperators(contract: Contract): void {
  const result = chain(
    { format: json(order) },
    filterRows((o) => o.status === 'open'),
    mapRows((o) => ({ id: o.id, cents: o.lines.length }), total),
    tapRows((t) => {
      expectType<number | null>()(t.cents)
    }),
  )
  expectType<Observable<Infer<typeof total>>>()(result)
  expectType<TopicFormat<{ readonly value: string }>>()(text())
  expectType<TopicFormat>()(json(contract))
  const events = debezium(total, { fields: ['op', 'source.ts_ms'] })
  filterRowsOf(events, (row) => row.__deleted === true || row.__op === 'd' || row.__source_ts_ms === 1n)
  // @ts-expect-error no literal of this column
  filterRowsOf(json(order), (o) => o.status === 'opened')
  // @ts-expect-error a field that events do not have
  filterRowsOf(events, (row) => row.__table === 'x')
  // @ts-expect-error a misspelt setting
  avro(total, { schemaa: 'x.avsc' })
}

function filterRowsOf<T extends object>(format: TopicFormat<T>, keep: (row: T) => boolean): unknown {
  return [format, filterRows(keep)]
}

export function rowsAreBuiltByHand(rows: Rows<Order>): Rows<Infer<typeof total>> {
  columnsOf(total, [{ id: 1n }, { id: 2, cents: null }])
  // @ts-expect-error text in a column of numbers
  columnsOf(total, [{ id: '1' }])
  // @ts-expect-error a column is missing
  rowsWith(rows, total, { id: columnOf('long', [1]) })
  return rowsWith(rows, total, { id: columnOf('long', [1]), cents: columnOf('double', [null]) })
}
