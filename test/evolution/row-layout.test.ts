import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unchangedLayoutOf } from '../../src/evolution/row-layout.ts'
import { arrayOf, mapOf, structOf } from '../support/flow/batches.ts'
import { layoutFor } from '../support/flow/layouts.ts'

test('A table that no policy changes refuses rows with fields that it has no column for, at any depth', () => {
  const inner = structOf({ known: 'long' })
  const shape = layoutFor(structOf({ v: 'long', s: inner, l: arrayOf(inner), m: mapOf(inner) })).baseSnapshot
  const deeper = structOf({ KNOWN: 'long', extra: 'string' })
  const rows = structOf({ V: 'long', s: deeper, l: arrayOf(deeper), m: mapOf(deeper), w: 'long' })
  assert.throws(() => unchangedLayoutOf(shape, [rows]), {
    code: 'KD_SCHEMA_CHANGED',
    message: /rows have s\.extra, l\.element\.extra, m\.value\.extra, w, and the table has no such column/,
  })
  assert.deepEqual(
    unchangedLayoutOf(shape, [structOf({ v: 'long', s: inner })]).columns,
    shape.metadata.schema,
  )
})
