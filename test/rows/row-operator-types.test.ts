import assert from 'node:assert/strict'
import { test } from 'node:test'
import { of, pipe, type Observable } from 'rxjs'
import { filterRows } from '../../operators/rows/filter-rows.ts'
import { mapRows } from '../../operators/rows/map-rows.ts'
import { mapRowsAsync } from '../../operators/rows/map-rows-async.ts'
import { mergeMapRows } from '../../operators/rows/merge-map-rows.ts'
import { scanRows } from '../../operators/rows/scan-rows.ts'
import type { RowOperator } from '../../operators/rows/row-operator.ts'
import { tapRows } from '../../operators/rows/tap-rows.ts'
import type { Rows } from '../../src/arrow/rows.ts'
import type { Batch } from '../../src/core/batch.ts'
import { columns, list } from '../../src/rows/row-schema.ts'
import type { Infer } from '../../src/rows/row-types.ts'
import { rowBatch, shownRows } from '../support/rows/row-batches.ts'

const event = columns({ id: 'long', at: 'timestamp', amount: 'double?', items: list({ sku: 'string' }) })
const cents = columns({ id: 'long', at: 'timestamp', cents: 'long?' })
type Event = Infer<typeof event>

/** Takes operators as a chain does: each gets the rows of the one before. */
function chained<B extends object, C extends object, D extends object>(
  ...operators: readonly [RowOperator<Event, B>, RowOperator<B, C>, RowOperator<C, D>]
): RowOperator<Event, D> {
  return pipe(...operators)
}

const rows = rowBatch(
  [{ id: 1, at: '2026-03-01T00:00:00.000000Z', amount: 1.5, items: [{ sku: 'a' }] }],
  {},
  event,
) as unknown as Batch<Rows<Event>>

test('Types pass through three operators, joined as a chain or by pipe', () => {
  const chain = chained(
    filterRows((e) => e.amount !== null),
    mapRows((e) => ({ id: e.id, at: new Date(e.at), cents: Math.round((e.amount ?? 0) * 100) }), cents),
    tapRows((c) => assert.equal(c.cents, 150)),
  )
  const typed: Observable<Batch<Rows<Infer<typeof cents>>>> = of(rows).pipe(chain)
  const piped: typeof typed = of(rows).pipe(
    filterRows((e) => e.items.length > 0),
    mapRows((e) => ({ id: e.id, at: e.at }), cents),
    tapRows((c) => assert.equal(c.cents, null)),
  )
  const outs: unknown[] = []
  for (const stream of [typed, piped]) stream.subscribe(({ payload }) => outs.push(...shownRows(payload)))
  assert.deepEqual(outs, [
    { id: 1, at: '2026-03-01T00:00:00.000000Z', cents: 150 },
    { id: 1, at: '2026-03-01T00:00:00.000000Z', cents: null },
  ])
})

test('Misspelt names, wrong types and nulls are errors of the compiler', () => {
  const wrong = [
    // @ts-expect-error there is no field of this name
    (): unknown => filterRows<Event>((e) => e.amuont !== null),
    // @ts-expect-error the amount may be null
    (): unknown => filterRows<Event>((e) => e.amount > 1),
    // @ts-expect-error there is no nested field of this name
    (): unknown => filterRows<Event>((e) => e.items[0]?.sukku === 'a'),
    // @ts-expect-error a long is no text
    (): unknown => mapRows((e: Event) => ({ id: 'x', at: e.at }), cents),
    // @ts-expect-error the id is missing
    (): unknown => mapRows((e: Event) => ({ at: e.at }), cents),
    // @ts-expect-error there is no column of this name
    (): unknown => mapRows((e: Event) => ({ id: e.id, at: e.at, cent: 1 }), cents),
    // @ts-expect-error a promise is no row
    (): unknown => mapRows((e: Event) => Promise.resolve({ id: e.id, at: e.at }), cents),
    // @ts-expect-error without a schema the columns stay
    (): unknown => mapRows((e: Event) => ({ id: e.id, at: e.at })),
    // @ts-expect-error the columns differ
    (): unknown => mapRowsAsync((e: Event) => Promise.resolve({ id: e.id }), cents),
    // @ts-expect-error several rows are an array
    (): unknown => mergeMapRows((e: Event) => ({ id: e.id, at: e.at }), cents),
    // @ts-expect-error there is no column of this name
    (): unknown => mergeMapRows((e: Event) => [{ id: e.id, at: e.at, cent: 1 }], cents),
    // @ts-expect-error there is no column of this name
    (): unknown => mapRowsAsync((e: Event) => Promise.resolve({ id: e.id, at: e.at, cent: 1 }), cents),
    // @ts-expect-error there is no column of this name
    (): unknown => mapRows((e: Event) => ({ ...e, amuont: 1 })),
    (): unknown =>
      scanRows(
        // @ts-expect-error the state has another type
        (_: number, row: Event) => ({ state: 'x', row }),
        () => 0,
        event,
      ),
  ]
  assert.ok(wrong.length > 0)
})

test('What fits is taken', () => {
  const right: readonly unknown[] = [
    mapRows((e: Event) => ({ ...e, amount: 1 })),
    mapRows((e: Event) => ({ id: 5n, at: e.at }), cents),
    mapRowsAsync((e: Event) => Promise.resolve({ id: e.id, at: new Date(e.at), cents: null }), cents),
    mergeMapRows((e: Event) => e.items.map(() => ({ id: e.id, at: e.at })), cents),
    scanRows(
      (n: number, e: Event) => ({ state: n + 1, row: n > 1 ? undefined : { id: e.id, at: e.at } }),
      () => 0,
      cents,
    ),
  ]
  assert.equal(right.length, 5)
})
