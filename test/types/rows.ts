/**
 * Holds programs that the compiler must accept, and lines that it must refuse: an error that does not come is an error. The
 * functions are compiled and never called.
 */
import { pipe, type Observable } from 'rxjs'
import { distinctRows } from '../../operators/rows/distinct-rows.ts'
import { filterRows } from '../../operators/rows/filter-rows.ts'
import { mapRowsAsync } from '../../operators/rows/map-rows-async.ts'
import { mapRows } from '../../operators/rows/map-rows.ts'
import { mergeMapRows } from '../../operators/rows/merge-map-rows.ts'
import { scanRows } from '../../operators/rows/scan-rows.ts'
import { tapRows } from '../../operators/rows/tap-rows.ts'
import type { Row, Rows } from '../../src/arrow/rows.ts'
import type { Batch } from '../../src/core/batch.ts'
import type { ExactNumber } from '../../src/core/exact.ts'
import type { StructType } from '../../src/core/schema.ts'
import { columns, list, mapOf, nullable, struct } from '../../src/rows/row-schema.ts'
import type { Infer, InferInput } from '../../src/rows/row-types.ts'
import { expectType } from './expect.ts'

const item = columns({ sku: 'string', count: 'integer?' })
const event = columns({
  id: 'long',
  at: 'timestamp',
  amount: 'double?',
  price: 'decimal(10,2)?',
  day: 'date',
  photo: 'binary?',
  items: list({ sku: 'string' }),
  lines: list(item),
  gaps: list('string?'),
  tags: mapOf('string', 'string?'),
  counts: mapOf('long', 'integer'),
  place: struct({ city: 'string', zip: nullable('string') }),
  first: item,
  nested: { isPaid: 'boolean' },
  maybe: nullable({ a: 'short' }),
})
type Event = Infer<typeof event>

const total = columns({
  id: 'long',
  at: 'timestamp',
  cents: 'double',
  note: 'string?',
  lines: nullable(list(item)),
})
type Total = Infer<typeof total>

export function rowsHaveTheTypesOfTheirColumns(row: Event, input: InferInput<typeof total>): StructType {
  expectType<{
    readonly id: number | bigint
    readonly at: string
    readonly amount: number | null
    readonly price: ExactNumber | null
    readonly day: string
    readonly photo: string | null
    readonly items: readonly { readonly sku: string }[]
    readonly lines: readonly { readonly sku: string; readonly count: number | null }[]
    readonly gaps: readonly (string | null)[]
    readonly tags: Readonly<Record<string, string | null>>
    readonly counts: ReadonlyMap<number | bigint, number>
    readonly place: { readonly city: string; readonly zip: string | null }
    readonly first: { readonly sku: string; readonly count: number | null }
    readonly nested: { readonly isPaid: boolean }
    readonly maybe: { readonly a: number } | null
  }>()(row)
  expectType<{
    readonly id: number | bigint
    readonly at: string | Date
    readonly cents: number
    readonly note?: string | null | undefined
    readonly lines?:
      | readonly { readonly sku: string; readonly count?: number | bigint | null | undefined }[]
      | null
      | undefined
  }>()(input)
  // @ts-expect-error there is no such type
  columns({ id: 'lonng' })
  // @ts-expect-error there is no such type, in a struct of a list
  columns({ items: list({ sku: 'text' }) })
  // A schema is a struct type, for everything that takes one.
  return event
}

export function namesAndTypesAreChecked(source: Observable<Batch<Rows<Event>>>): void {
  const good = { id: 1, at: new Date(), cents: 1 }
  mapRows(() => good, total)
  mapRows(() => ({ ...good, id: 1n, note: null, lines: [{ sku: 'a' }] }), total)
  // @ts-expect-error a misspelt name of a column that may not be null
  source.pipe(mapRows((e) => ({ id: e.id, at: e.at, cent: 1 }), total))
  // @ts-expect-error a misspelt name of a column that may be null
  source.pipe(mapRows((e) => ({ id: e.id, at: e.at, cents: 1, nota: 'x' }), total))
  // @ts-expect-error a name that the columns do not have, in the structs of an array
  source.pipe(mapRows((e) => ({ id: e.id, at: e.at, cents: 1, lines: [{ sku: 'a', amount: 1 }] }), total))
  // @ts-expect-error text in a column of numbers
  source.pipe(mapRows((e) => ({ id: e.id, at: e.at, cents: '1' }), total))
  // @ts-expect-error null in a column that is not nullable
  source.pipe(mapRows((e) => ({ id: e.id, at: e.at, cents: e.amount }), total))
  // @ts-expect-error a column without a value
  source.pipe(mapRows((e) => ({ id: e.id, at: e.at }), total))
  // @ts-expect-error a promise is no row
  source.pipe(mapRows((e) => Promise.resolve({ id: e.id, at: e.at, cents: 1 }), total))
  // @ts-expect-error a field that rows do not have
  source.pipe(filterRows((e) => e.amont !== null))
  // @ts-expect-error a nested field that rows do not have
  source.pipe(filterRows((e) => e.place.town === 'Ulm'))
  // @ts-expect-error a field of a struct that may be null
  source.pipe(filterRows((e) => e.maybe.a === 1))
  // @ts-expect-error a promise is no answer
  source.pipe(filterRows((e) => Promise.resolve(e.id === 1)))
  // @ts-expect-error rows cannot be changed
  source.pipe(tapRows((e) => (e.amount = 1)))
}

export function typesFlowThroughThreeOperators(source: Observable<Batch<Rows<Event>>>): void {
  const result = source.pipe(
    filterRows((e) => e.amount !== null),
    mapRows((e) => ({ id: e.id, at: e.at, cents: Math.round((e.amount ?? 0) * 100) }), total),
    tapRows((t) => {
      expectType<Total>()(t)
    }),
  )
  expectType<Observable<Batch<Rows<Total>>>>()(result)
  const several = pipe(
    filterRows((e: Event) => e.amount !== null),
    mapRows(({ id, at }) => ({ id, at, cents: 1 }), total),
    mapRows((t) => ({ ...t, cents: t.cents + 1 })),
  )
  expectType<Observable<Batch<Rows<Total>>>>()(several(source))
  // @ts-expect-error rows of another type come in
  source.pipe(mapRows((t: Total) => t, total))
}

export function otherOperatorsCheckTheirRows(source: Observable<Batch<Rows<Event>>>): void {
  const good = { id: 1, at: '2024-02-29T00:00:00Z', cents: 1 }
  source.pipe(
    mapRowsAsync((e) => Promise.resolve({ ...good, id: e.id }), total),
    mergeMapRows(
      (t) => [
        { ...good, id: t.id },
        { ...good, note: t.note },
      ],
      total,
    ),
    scanRows(
      (count, t) => ({ state: count + 1, row: t.note === null ? undefined : { ...good, cents: count } }),
      () => 0,
      total,
    ),
    distinctRows((t) => t.id, { withinMs: 1, keysMax: 1 }),
    tapRows((t) => {
      expectType<Total>()(t)
    }),
  )
  // @ts-expect-error a misspelt name of a column that may be null
  source.pipe(mapRowsAsync((e) => Promise.resolve({ ...good, nota: e.day }), total))
  // @ts-expect-error a row instead of its promise
  source.pipe(mapRowsAsync(() => good, total))
  // @ts-expect-error a misspelt name of a column that may be null
  source.pipe(mergeMapRows((e) => [{ ...good, nota: e.day }], total))
  // @ts-expect-error text in a column of numbers
  source.pipe(mergeMapRows((e) => [good, { ...good, cents: e.day }], total))
  const seed = (): number => 0
  // @ts-expect-error a misspelt name of a column that may be null
  source.pipe(scanRows((state, e) => ({ state, row: { ...good, nota: e.day } }), seed, total))
  // @ts-expect-error a field that rows do not have
  source.pipe(distinctRows((e) => [e.idd].length, { withinMs: 1, keysMax: 1 }))
}

export function rowsOfTheSameColumnsAreChecked(source: Observable<Batch<Rows<Total>>>): void {
  source.pipe(mapRows((t) => ({ ...t, cents: 3 })))
  source.pipe(mapRows((t) => ({ id: t.id, at: t.at, cents: 3 })))
  // @ts-expect-error a misspelt name of a column that may be null
  source.pipe(mapRows((t) => ({ ...t, nota: 'x' })))
  // @ts-expect-error text in a column of numbers
  source.pipe(mapRows((t) => ({ ...t, cents: '3' })))
}

export function guardsNarrowTheRowsBehindThem(source: Observable<Batch<Rows<Total>>>): void {
  source.pipe(
    filterRows((t): t is Total & { readonly note: string } => t.note !== null),
    tapRows((t) => t.note.length),
  )
}

export function rowsWithoutTypesAreObjects(source: Observable<Batch<Rows>>, schema: StructType): void {
  source.pipe(
    mapRows((row) => ({ ...row, more: row['some'] })),
    mapRows((row) => ({ anything: row['some'] }), schema),
    mapRows((row) => ({ anything: row['some'] }), { schema }),
    filterRows((row) => row['some'] === 1),
    tapRows((row) => {
      expectType<Row>()(row)
    }),
  )
}

export function rowsWithTypesGoWhereRowsWithoutAreExpected(
  source: Observable<Batch<Rows<Event>>>,
): Observable<Batch<Rows>> {
  return source
}
