import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filterRows } from '../../../operators/rows/filter-rows.ts'
import { mapRows } from '../../../operators/rows/map-rows.ts'
import { tapRows } from '../../../operators/rows/tap-rows.ts'
import type { Row, Rows } from '../../../src/arrow/rows.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import { provenanceOf, rowsOf, structOf } from '../../support/flow/batches.ts'
import { errorOf, operatorContract, outputsOf } from '../../support/flow/operator-contract.ts'
import type { OperatorFunction } from 'rxjs'
import type { Batch } from '../../../src/core/batch.ts'

const schema = structOf({ n: 'long', s: 'string' })
const four = [1, 2, 3, 4].map((n) => ({ n, s: `t${n}` }))
const batch = (rows: readonly Row[]) => ({
  provenance: provenanceOf({ first: 10n }),
  payload: rowsOf(schema, rows, { first: 10n, keys: ['k'] }),
})
operatorContract('mapRows', () => mapRows((row) => row))
operatorContract('filterRows', () => filterRows(() => true))
operatorContract('tapRows', () => tapRows(() => undefined))

function one(operator: OperatorFunction<Batch<Rows>, Batch<Rows>>, rows: readonly Row[] = four): Rows {
  const input = batch(rows)
  const [out] = outputsOf(operator, [input])
  assert.equal(out?.provenance, input.provenance)
  const { raw, columns, deadLetters, tombstones, filtered } = out.payload
  assert.equal(
    raw.count,
    columns.length + deadLetters.length + tombstones + filtered,
    'what came in is accounted for',
  )
  return out.payload
}
const shown = ({ columns }: Rows): unknown[] =>
  Array.from({ length: columns.length }, (_, row) => rowAt(columns, row))
const odd = (row: Row): boolean => {
  if (row['n'] === 4) throw new Error('no four')
  return (row['n'] as number) % 2 === 1
}

test('Each row becomes the result of the callback, in its own columns or in those of another schema', () => {
  assert.deepEqual(
    shown(one(mapRows((row) => ({ ...row, s: null })))),
    four.map(({ n }) => ({ n, s: null })),
  )
  const rows = one(
    mapRows((row, { offset, key }) => ({ o: offset, k: key ?? null, d: (row['n'] as number) / 2 }), {
      schema: structOf({ o: 'long', k: 'string', d: 'double' }),
    }),
  )
  assert.deepEqual(shown(rows)[0], { o: 10, k: 'k', d: 0.5 })
  assert.deepEqual(
    shown(
      one(
        mapRows((row) => row),
        [],
      ),
    ),
    [],
  )
})

test('A row for which the callback throws, or whose result does not fit, becomes a dead letter; other rows stay', () => {
  const results: Readonly<Record<number, () => unknown>> = {
    2: () => ({ n: 'x' }),
    3: () => undefined,
    4: () => odd({ n: 4 }),
  }
  const rows = one(
    mapRows((row) => (results[row['n'] as number]?.() ?? (row['n'] === 1 ? row : undefined)) as Row),
  )
  assert.deepEqual([shown(rows), [...rows.records]], [[four[0]], [0]])
  assert.deepEqual(
    rows.deadLetters.map(({ offset, reason, message }) => [offset, reason, message]),
    [
      [13n, 'custom', 'no four'],
      [11n, 'type', '/n expected an integer, got "x"'],
      [12n, 'type', 'expected an object, got undefined'],
    ],
  )
})

test('Rows are kept or counted as filtered; one for which the callback throws becomes a dead letter', () => {
  const rows = one(filterRows(odd))
  assert.deepEqual([shown(rows), [...rows.records], rows.filtered], [[four[0], four[2]], [0, 2], 1])
  assert.deepEqual(
    rows.deadLetters.map(({ offset, reason }) => [offset, reason]),
    [[13n, 'custom']],
  )
  assert.equal(one(filterRows(() => false)).filtered, 4)
  assert.equal(shown(one(filterRows(() => true))).length, 4)
  assert.equal(
    one(
      filterRows(() => {
        throw new Error('all')
      }),
    ).deadLetters.length,
    4,
  )
})

test('Only true keeps a row', () => {
  assert.equal(one(filterRows(() => 'yes' as unknown as boolean)).filtered, 4)
})

test('Consecutive filters add up their counts', () => {
  const [out] = outputsOf(
    filterRows((row) => row['n'] !== 1),
    outputsOf(
      filterRows((row) => row['n'] !== 3),
      [batch(four)],
    ),
  )
  assert.deepEqual([out?.payload.filtered, out && shown(out.payload)], [2, [four[1], four[3]]])
})

test('tapRows sees every row and changes nothing, and an error that it throws stops the stream', () => {
  const seen: unknown[] = []
  const input = batch(four)
  const [out] = outputsOf(
    tapRows((row, { partition, topic, timestampMs }) =>
      seen.push([row['n'], topic, partition, timestampMs > 0]),
    ),
    [input],
  )
  assert.equal(out?.payload, input.payload)
  assert.deepEqual(
    seen,
    four.map(({ n }) => [n, 'events', 0, true]),
  )
  assert.match(
    String(
      errorOf(
        tapRows(() => {
          throw new Error('seen enough')
        }),
        input,
      ),
    ),
    /seen enough/,
  )
})
