import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { valueAt } from '../../../src/arrow/values.ts'
import { RowBuckets } from '../../../src/delta/rewrite/spilled-rows.ts'
import { columnsOf, structOf } from '../../support/flow/batches.ts'

test('Rows that are spilled are read back as they were, although each write stores only a part of its bytes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-short-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const probe = await open(join(folder, 'probe'), 'w')
  const handles = Object.getPrototypeOf(probe) as {
    write: (
      bytes: Uint8Array,
      from: number,
      length: number,
      position: number,
    ) => ReturnType<FileHandle['write']>
  }
  await probe.close()
  const whole = handles.write
  const lengths: number[] = []
  t.mock.method(
    handles,
    'write',
    function (this: FileHandle, bytes: Uint8Array, from: number, length: number, position: number) {
      lengths.push(length)
      return whole.call(this, bytes, from, Math.ceil(length / 3), position)
    },
  )
  const schema = structOf({ id: 'long', name: 'string' })
  const buckets = new RowBuckets(schema, 1, 1)
  t.after(() => buckets.close())
  for (const id of [1, 2, 3]) await buckets.add(0, columnsOf(schema, [{ id, name: `name ${id}` }]))
  assert.ok(lengths.length > 0, 'rows were written to disk')
  const names: unknown[] = []
  for await (const { columns, length } of buckets.rows(0))
    for (let row = 0; row < length; row++) {
      const [, column] = columns
      assert.ok(column)
      names.push(valueAt(column, row))
    }
  assert.deepEqual(names, ['name 1', 'name 2', 'name 3'])
})
