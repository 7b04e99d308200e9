import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import { bufferTimeOrCount } from '../../operators/buffer-time-or-count.ts'
import { partitionBy } from '../../operators/partition-by.ts'
import { accountFaultOf, assertRows, rowsFaultOf } from '../../operators/rows-fault.ts'
import type { Rows } from '../../src/arrow/rows.ts'
import type { Batch } from '../../src/core/batch.ts'
import { Credit } from '../../src/core/credit/credit.ts'
import { deadLetterOf } from '../../src/core/dead-letter.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { provenanceOf, rowsOf, structOf } from '../support/flow/batches.ts'

const schema = structOf({ v: 'long' })
const rows = rowsOf(schema, [{ v: 1 }, { v: 2 }, { v: 3 }])
const provenance = provenanceOf({ records: 3 })
const two = rowsOf(schema, [{ v: 1 }, { v: 2 }]).columns

test('Rows that account for every record once have no fault, also with letters, tombstones, filtered and expanded rows', () => {
  assert.equal(rowsFaultOf(rows, provenance), undefined)
  const letter = deadLetterOf(rows.raw, 2, 'custom', 'no')
  const fewer = { ...rows, columns: two, records: Int32Array.of(0, 1) }
  assert.equal(rowsFaultOf({ ...fewer, deadLetters: [letter] }, provenance), undefined)
  assert.equal(rowsFaultOf({ ...fewer, tombstones: 1 }, provenance), undefined)
  assert.equal(rowsFaultOf({ ...fewer, filtered: 1 }, provenance), undefined)
  const expanded = { ...rows, records: Int32Array.of(0, 1, 1), expanded: 1, filtered: 1 }
  assert.equal(rowsFaultOf(expanded, provenance), undefined)
})

test('A record that is lost, counted twice or not counted is named with all numbers', () => {
  const lost = { ...rows, columns: two, records: Int32Array.of(0, 1) }
  assert.equal(
    accountFaultOf(lost, provenance),
    'not every record is accounted for exactly once: 3 records + 0 expanded, but 2 rows + 0 dead letters + 0 tombstones + 0 filtered',
  )
  assert.match(String(accountFaultOf({ ...rows, filtered: 1 }, provenance)), /1 filtered/)
  assert.match(String(accountFaultOf(rows, provenanceOf({ records: 4 }))), /4 records/)
  assert.match(String(accountFaultOf({ ...rows, filtered: 1, tombstones: -1 }, provenance)), /negative/)
})

test('Rows, columns and dead letters that do not belong together are named', () => {
  const faultOf = (change: Partial<Rows>): string => String(rowsFaultOf({ ...rows, ...change }, provenance))
  assert.match(faultOf({ records: Int32Array.of(0, 1) }), /3 rows come from 2 records/)
  assert.match(faultOf({ records: Int32Array.of(0, 2, 1) }), /record 1 of the batch comes after record 2/)
  assert.match(faultOf({ records: Int32Array.of(0, 1, 1) }), /1 rows repeat a record, and 0 are expanded/)
  assert.match(faultOf({ records: Int32Array.of(0, 1, 3) }), /record 3 of a batch of 3/)
  assert.match(
    faultOf({ columns: { ...rows.columns, columns: two.columns } }),
    /column v has 2 values for 3 rows/,
  )
  assert.match(faultOf({ columns: { ...rows.columns, columns: [] } }), /0 columns, their schema has 1/)
  const letter = deadLetterOf(rows.raw, 2, 'custom', 'no')
  for (const foreign of [{ offset: 3n }, { offset: -1n }, { partition: 1 }, { topic: 'other' }])
    assert.match(
      faultOf({ columns: two, records: Int32Array.of(0, 1), deadLetters: [{ ...letter, ...foreign }] }),
      /does not belong to the batch/,
    )
})

test('The error names the maker, the topic, the partition and the offsets', () => {
  assert.throws(() => assertRows({ ...rows, filtered: 1 }, provenance, 'operator mine'), {
    code: 'KD_OPERATOR_INVALID',
    message: /operator mine: .* \(topic events, partition 0, first 0, last 2\)$/,
  })
})

/** Returns the errors of a buffer that receives these batches of rows. */
function bufferErrors(batches: readonly Batch<Rows>[], credit?: Credit): unknown[] {
  const errors: unknown[] = []
  const source = new Subject<Batch<Rows>>()
  source
    .pipe(
      partitionBy([]),
      bufferTimeOrCount({ count: 1e6, bytes: 1e9, ageMs: 1e6 }, credit === undefined ? {} : { credit }),
    )
    .subscribe({ error: (error: unknown) => errors.push(error) })
  for (const batch of batches) source.next(batch)
  assert.equal(source.observed, errors.length === 0)
  source.complete()
  return errors
}

test('A buffer refuses a batch that does not account for each of its records', () => {
  assert.deepEqual(bufferErrors([{ provenance, payload: rows }]), [])
  const [error] = bufferErrors([{ provenance, payload: { ...rows, tombstones: 1 } }])
  assert.ok(error instanceof PipelineError && error.code === 'KD_OPERATOR_INVALID')
})

test('Credit that a doubled batch gives back twice is an error of the stream, not of the process', async () => {
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)
  process.on('uncaughtException', note)
  const credit = new Credit(1e6)
  // Only one batch has taken credit; both are dropped for the third, which does not follow them.
  await credit.take(provenance.bytes)
  const next = provenanceOf({ first: 3n, records: 3 })
  const other = provenanceOf({ first: 90n, records: 3 })
  const batches = [provenance, next, other].map((each) => ({
    provenance: { ...each, bytes: 1e5 },
    payload: rows,
  }))
  const [error] = bufferErrors(batches, credit)
  assert.ok(error instanceof PipelineError && error.code === 'KD_OPERATOR_INVALID')
  assert.match(error.message, /credit given back twice/)
  await new Promise((resolve) => setTimeout(resolve, 5))
  process.off('uncaughtException', note)
  assert.deepEqual(uncaught, [])
})
