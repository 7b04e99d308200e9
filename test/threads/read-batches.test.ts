import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExactNumber } from '../../src/core/exact.ts'
import type { FormatOptions } from '../../src/formats/format.ts'
import { plainContractOf } from '../../src/evolution/plain.ts'
import { BatchThreads } from '../../src/threads/read-batches.ts'
import type { ReadFault, ReadTask } from '../../src/threads/read-columns.ts'
import { ThreadFormatRecorder, type ThreadFormat } from '../../src/formats/open/thread-format.ts'
import { rawOf, structOf } from '../support/flow/batches.ts'
import { instantThreads } from '../support/threads/instant-threads.ts'
import { VALUES } from '../support/values/csv.ts'

const SCHEMA = structOf({ id: 'long', name: 'string' })
const OPTIONS: FormatOptions = { schema: SCHEMA, plain: plainContractOf(SCHEMA, undefined) }
const BIG = rawOf(Array.from({ length: 2000 }, (_, i) => `{"id":${i}}`))
const JSON_FORMAT = describedFormat()

/** The description of the JSON format. */
function describedFormat(): ThreadFormat {
  const described = new ThreadFormatRecorder({
    ...VALUES,
    format: 'json',
    framing: 'none',
    decompress: 'none',
  }).describe()
  assert.ok(described !== undefined)
  return described
}

test('no more batches are on their way than the limit says', async () => {
  let end: () => void = () => undefined
  const run = (): Promise<ReadFault> =>
    new Promise((resolve) => (end = () => resolve({ fault: 'none was read' })))
  const threads = new BatchThreads(run, 1, () => undefined)
  const first = threads.readColumns(BIG, JSON_FORMAT, OPTIONS)
  assert.ok(first instanceof Promise)
  assert.equal(threads.readColumns(BIG, JSON_FORMAT, { ...OPTIONS }), undefined)
  end()
  await first
  const second = threads.readColumns(BIG, JSON_FORMAT, { ...OPTIONS })
  assert.ok(second instanceof Promise)
  end()
  await second
})

test('small batches stay on the main thread', () => {
  assert.equal(instantThreads().readColumns(rawOf(['{"id":1}']), JSON_FORMAT, OPTIONS), undefined)
})

test('columns are described once, and copies of the bytes are sent', async () => {
  const tasks: ReadTask[] = []
  const threads = instantThreads({ tasks })
  const read = await threads.readColumns(BIG, JSON_FORMAT, OPTIONS)
  await threads.readColumns(BIG, JSON_FORMAT, OPTIONS)
  assert.equal(read?.rows.columns.schema, SCHEMA)
  assert.equal(read.rows.records.length, 2000)
  assert.equal(tasks[0]?.description, tasks[1]?.description)
  assert.notEqual(tasks[0]?.bytes.buffer, BIG.bytes.buffer)
})

test('after some batches without a row the main thread decodes, until a thread is asked again', async () => {
  const tasks: ReadTask[] = []
  const threads = instantThreads({ tasks })
  const strange = rawOf(Array.from({ length: 2000 }, (_, i) => `{"id":"${i}"}`))
  for (let batch = 0; batch < 68; batch++)
    assert.equal(await threads.readColumns(strange, JSON_FORMAT, OPTIONS), undefined)
  assert.equal(tasks.length, 4)
  assert.equal((await threads.readColumns(BIG, JSON_FORMAT, OPTIONS))?.rows.records.length, 2000)
  assert.ok(threads.readColumns(BIG, JSON_FORMAT, OPTIONS) instanceof Promise, 'rows were found')
})

test('values whose schema ids are in headers stay on the main thread', () => {
  const registered = { url: 'memory', schemas: new Map() }
  const format = { ...JSON_FORMAT, registered }
  const headers = Array.from(BIG.offsets, () => ({ __value_schema_id: Buffer.of(0, 0, 0, 0, 1) }))
  const threads = instantThreads()
  assert.equal(threads.readColumns({ ...BIG, headers }, format, OPTIONS), undefined)
  const others = headers.map(() => ({ trace: Buffer.of(1) }))
  assert.ok(threads.readColumns({ ...BIG, headers: others }, format, OPTIONS) instanceof Promise)
})

test('a default value that cannot be sent, or fails, leaves the batch to the main thread', () => {
  const fail = (): never => {
    throw new Error('no value')
  }
  for (const value of [() => new ExactNumber('1.0'), fail])
    assert.equal(
      instantThreads().readColumns(BIG, JSON_FORMAT, {
        ...OPTIONS,
        absentValues: new Map([['name', value]]),
      }),
      undefined,
    )
})

test('default values are those of the batch', async () => {
  let now = 0
  const threads = instantThreads()
  const options = { ...OPTIONS, absentValues: new Map([['name', () => `at ${now}`]]) }
  const texts: string[] = []
  for (now = 1; now <= 2; now++) {
    const read = await threads.readColumns(BIG, JSON_FORMAT, options)
    const names = read?.rows.columns.columns[1]
    assert.ok(names?.kind === 'bytes')
    texts.push(Buffer.from(names.bytes.subarray(0, names.offsets[1])).toString())
  }
  assert.deepEqual(texts, ['at 1', 'at 2'])
})

test('a batch that fails on a thread is left to the main thread', async () => {
  const faults: string[] = []
  const threads = instantThreads({}, (fault) => faults.push(fault))
  const broken = { ...JSON_FORMAT, choice: { ...JSON_FORMAT.choice, format: 'avro' } }
  assert.equal(await threads.readColumns(BIG, broken, OPTIONS), undefined)
  assert.match(faults.join(), /avro\.schema/)
})

test('a thread that ends is an error that names the partition and may be tried again', async () => {
  const threads = new BatchThreads(
    () => Promise.reject(new Error('out of memory')),
    1,
    () => undefined,
  )
  // The place of the batch is free again.
  for (let attempt = 0; attempt < 2; attempt++)
    await assert.rejects(async () => threads.readColumns(BIG, JSON_FORMAT, OPTIONS), {
      code: 'KD_WORKER_FAILED',
      retryable: true,
      message: /out of memory.*partition 0/,
    })
})
