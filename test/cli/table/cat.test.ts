import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { StructBuilder } from '../../../src/arrow/builder.ts'
import { toArrowSchema, toRecordBatch } from '../../../src/arrow/record-batch.ts'
import type { PrimitiveName, StructField, StructType } from '../../../src/core/schema.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { encodeParquet } from '../../../src/parquet/writer.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { programOf } from '../../support/program.ts'

const ROWS = 20_000
const field = (name: string, type: PrimitiveName): StructField => ({
  name,
  type,
  nullable: true,
  metadata: {},
})
const schema: StructType = {
  type: 'struct',
  fields: [
    field('id', 'long'),
    field('price', 'decimal(10,2)'),
    field('at', 'timestamp'),
    field('day', 'date'),
  ],
}

let folder = ''

// A table of one file with ROWS rows, partitioned by day, written with the project's own modules.
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kafka-delta-cat-'))
  const store = await openStore(folder)
  await createTable(store, { schema, partitionColumns: ['day'], configuration: {} })
  const stored: StructType = { type: 'struct', fields: schema.fields.slice(0, 3) }
  const rows = new StructBuilder(stored)
  for (let id = 0; id < ROWS; id++) {
    assert.equal(
      rows.append({ id, price: id % 2 === 0 ? '1.50' : null, at: '2026-01-02T03:04:05.678Z' }),
      undefined,
    )
  }
  const { columns, length } = rows.finishColumns()
  const batches = [toRecordBatch(toArrowSchema(stored), columns, length)]
  const { bytes } = await store.put(
    'f.parquet',
    encodeParquet(batches, { compression: 'zstd', rowGroupRows: 5_000 }),
  )
  const add = {
    path: 'f.parquet',
    partitionValues: { day: '2026-01-02' },
    size: bytes,
    modificationTime: 1,
    dataChange: true,
  }
  const writer = await openTableWriter(store)
  await writer.append({ adds: [add], txns: [], operationParameters: {}, operationMetrics: {} })
  await store.close()
})
after(() => {
  rmSync(folder, { recursive: true })
})

function cat(
  args: readonly string[],
  charsMax = Infinity,
): Promise<{ code: number | null; text: string; err: string }> {
  const command = [...programOf('src/cli/main.ts'), 'table', 'cat', folder, ...args]
  const child = spawn(process.execPath, command, { cwd: join(import.meta.dirname, '../../..') })
  let text = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
    if (text.length >= charsMax) child.stdout.destroy()
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (err += piece))
  return new Promise((resolve) => {
    child.on('close', (code) => {
      resolve({ code, text, err })
    })
  })
}

it('every row is one line, nulls and partition columns included, decimals with their scale', async () => {
  const { code, text, err } = await cat([])
  assert.equal(err, '')
  assert.equal(code, 0)
  const lines = text.trimEnd().split('\n')
  assert.equal(lines.length, ROWS)
  assert.equal(lines[0], '{"id":0,"price":1.50,"at":"2026-01-02T03:04:05.678000Z","day":"2026-01-02"}')
  assert.equal(lines[1], '{"id":1,"price":null,"at":"2026-01-02T03:04:05.678000Z","day":"2026-01-02"}')
})

it('--limit and --columns restrict the output', async () => {
  const { code, text } = await cat(['--limit', '2', '--columns', 'day,id'])
  assert.equal(code, 0)
  assert.equal(text, '{"id":0,"day":"2026-01-02"}\n{"id":1,"day":"2026-01-02"}\n')
})

it('--version 0 is the table before its first row', async () => {
  assert.deepEqual(await cat(['--version', '0']), { code: 0, text: '', err: '' })
})

it('--timestamp selects the version at that time; a time before the first commit is a usage error', async () => {
  const future = await cat(['--timestamp', '2999-01-01', '--limit', '1'])
  assert.equal(future.text.trimEnd().split('\n').length, 1)
  assert.equal(future.code, 0)
  for (const args of [
    ['--timestamp', '2000-01-01T00:00:00Z'],
    ['--timestamp', 'soon'],
    ['--timestamp', '2999-01-01', '-v', '0'],
  ]) {
    const { code, text } = await cat(args)
    assert.deepEqual({ code, text }, { code: 2, text: '' }, args.join(' '))
  }
})

it('a reader that closes the pipe early is not a failure', async () => {
  const { code, err } = await cat([], 1)
  assert.equal(err, '')
  assert.equal(code, 0)
})

it('a column that does not exist is a usage error', async () => {
  const { code, err, text } = await cat(['--columns', 'nope'])
  assert.equal(code, 2)
  assert.equal(text, '')
  assert.match(err, /^error: KD_COMMAND_INVALID .*nope/)
})
