import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Columns } from '../../src/arrow/column.ts'
import { plainContractOf } from '../../src/evolution/plain.ts'
import type { FormatOptions } from '../../src/formats/format.ts'
import { openFormat } from '../../src/formats/open/open.ts'
import { openThreads, type Threads } from '../../src/threads/threads.ts'
import { columnsOf, rawOf, structOf } from '../support/flow/batches.ts'
import { VALUES } from '../support/values/csv.ts'

const SCHEMA = structOf({ id: 'long' })
const OPTIONS: FormatOptions = { schema: SCHEMA, plain: plainContractOf(SCHEMA, undefined) }
const ENCODING = {
  schema: SCHEMA,
  statisticsSchema: SCHEMA,
  indexedColumns: { first: 32, paths: [] },
  parquet: { compression: 'none', rowGroupRows: 1000 },
} as const

let threads: Threads
before(async () => {
  threads = await openThreads({
    workers: 1,
    program: new URL('../support/threads/dying-program.mjs', import.meta.url),
  })
})
after(() => threads.close())

test('a batch in the hands of a thread that ends is an error, and may be tried again', async () => {
  const raw = rawOf(Array.from({ length: 3000 }, (_, i) => `{"id":${i}}`))
  const format = await openFormat(
    { ...VALUES, format: 'json', framing: 'none', decompress: 'none' },
    OPTIONS,
    threads.columns,
  )
  for (let attempt = 0; attempt < 2; attempt++)
    await assert.rejects(async () => format.readAhead?.(raw), {
      code: 'KD_WORKER_FAILED',
      retryable: true,
      message: /worker exited with code: 3/,
    })
  // Without a thread the batch is whole.
  assert.deepEqual(format.decode(raw).validated?.columns.length, 3000)
})

test('a file in the hands of a thread that ends fails, and may be tried again', async () => {
  let closed = false
  const slices = async function* (): AsyncGenerator<Columns> {
    try {
      for (;;) {
        await Promise.resolve()
        yield columnsOf(SCHEMA, [{ id: 1 }])
      }
    } finally {
      closed = true
    }
  }
  const drain = async (): Promise<void> => {
    for await (const piece of threads.encoder(slices(), ENCODING).pieces)
      assert.fail(`no piece, got ${piece.length} bytes`)
  }
  // The second one is worked on by the thread that took the place of the first.
  for (let attempt = 0; attempt < 2; attempt++) {
    closed = false
    await assert.rejects(drain(), { code: 'KD_PARQUET_FAILED', retryable: true, message: /thread .* ended/ })
    assert.ok(closed, 'the rows are given back')
  }
})

test('a program that cannot be loaded is an error at the start', async () => {
  const failed: unknown[] = []
  const opening = openThreads({
    workers: 1,
    onFailure: (error) => failed.push(error),
    program: new URL('no-such-program.mjs', import.meta.url),
  })
  await assert.rejects(opening, /no-such-program/)
})
