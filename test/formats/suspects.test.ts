import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StructBuilder } from '../../src/arrow/builder.ts'
import { withoutSuspects } from '../../src/formats/suspects.ts'

function columnsOf(values: readonly string[]): ReturnType<StructBuilder['finishColumns']> {
  const builder = new StructBuilder({
    type: 'struct',
    fields: [{ name: 'a', type: 'string', nullable: true, metadata: {} }],
  })
  for (const a of values) builder.append({ a })
  return builder.finishColumns()
}

test('rows without suspicion are passed on as they are', () => {
  const columns = columnsOf(['x', 'y'])
  const records = Int32Array.of(3, 5)
  const found = withoutSuspects(columns, records, new Uint8Array(2))
  assert.equal(found.columns, columns)
  assert.equal(found.records, records)
  assert.deepEqual(found.suspects, [])
})

test('suspect rows are left out, and their records are named', () => {
  const found = withoutSuspects(columnsOf(['x', 'yy', 'z']), Int32Array.of(3, 5, 8), Uint8Array.of(1, 0, 1))
  assert.deepEqual([...found.records], [5])
  assert.deepEqual(found.suspects, [3, 8])
  const [column] = found.columns.columns
  assert.ok(column?.kind === 'bytes')
  assert.deepEqual([found.columns.length, Buffer.from(column.bytes).toString()], [1, 'yy'])
})
