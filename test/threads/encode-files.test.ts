import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import type { Columns } from '../../src/arrow/column.ts'
import type { EncodedFile, FileEncoder } from '../../src/delta/files/encode-file.ts'
import { threadEncoder } from '../../src/threads/encode-files.ts'
import { withoutType } from '../../src/threads/column-transfer.ts'
import { encodeOnThread, type ToEncoder } from '../../src/threads/encode-on-thread.ts'
import { columnsOf, structOf } from '../support/flow/batches.ts'

const SCHEMA = structOf({ id: 'long' })

function fileOf(encoder: FileEncoder, slices: AsyncIterable<Columns>): EncodedFile {
  return encoder(slices, {
    schema: SCHEMA,
    statisticsSchema: SCHEMA,
    indexedColumns: { first: 32, paths: [] },
    parquet: { compression: 'none', rowGroupRows: 1 },
  })
}

/** Counts the slices that were taken. */
function slicesOf(count: number): {
  readonly slices: AsyncIterable<Columns>
  taken: number
  closed: boolean
} {
  const counted = { taken: 0, closed: false }
  const slices = (async function* () {
    try {
      for (let i = 0; i < count; i++) {
        await Promise.resolve()
        counted.taken++
        yield columnsOf(SCHEMA, [{ id: i }])
      }
    } finally {
      counted.closed = true
    }
  })()
  return Object.assign(counted, { slices })
}

async function sizeOf({ pieces }: EncodedFile): Promise<number> {
  let size = 0
  for await (const piece of pieces) size += piece.length
  return size
}

test('files beyond the limit are encoded on the main thread', async () => {
  let tasks = 0
  const encoder = threadEncoder((task) => {
    tasks++
    return encodeOnThread(task)
  }, 1)
  const [first, second] = [fileOf(encoder, slicesOf(2).slices), fileOf(encoder, slicesOf(2).slices)]
  const size = await sizeOf(second)
  assert.equal(tasks, 0)
  assert.deepEqual([await sizeOf(first), tasks], [size, 1])
  const third = fileOf(encoder, slicesOf(2).slices)
  await sizeOf(third)
  assert.equal(tasks, 2, 'the place of a file is free once it is complete')
  assert.deepEqual(third.statistics().rows, 2)
})

test('a file whose pieces are not read takes a bounded number of slices', async () => {
  const counted = slicesOf(1000)
  const { pieces } = fileOf(threadEncoder(encodeOnThread, 1), counted.slices)
  const reader = pieces[Symbol.asyncIterator]()
  const turns = async (): Promise<number> => {
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
    return counted.taken
  }
  await reader.next()
  try {
    const taken = await turns()
    assert.equal(await turns(), taken, 'nothing more is taken')
    assert.ok(taken < 1000, `${taken} slices`)
  } finally {
    await reader.return?.()
  }
  assert.ok(counted.closed, 'the rows of a file that is given up are given back')
})

test('the place of a file that is given up is free', async () => {
  let tasks = 0
  const encoder = threadEncoder((task) => {
    tasks++
    return encodeOnThread(task)
  }, 1)
  const reader = fileOf(encoder, slicesOf(1000).slices).pieces[Symbol.asyncIterator]()
  await reader.next()
  await reader.return?.()
  await sizeOf(fileOf(encoder, slicesOf(1).slices))
  assert.equal(tasks, 2)
})

test('a writer that leaves before the last slice ends the task, not the thread', async () => {
  const { port1: writer, port2: port } = new MessageChannel()
  const rejections: unknown[] = []
  const note = (error: unknown): void => void rejections.push(error)
  process.on('unhandledRejection', note)
  const task = encodeOnThread({
    port,
    encoding: {
      schema: SCHEMA,
      statisticsSchema: SCHEMA,
      indexedColumns: { first: 32, paths: [] },
      parquet: { compression: 'none', rowGroupRows: 1 },
    },
  })
  let requests = 0
  writer.on('message', () => {
    // The encoder completes a file whose rows fail, so pieces follow that nobody takes.
    if (requests++ > 0) writer.close()
    else {
      const { columns, length } = columnsOf(SCHEMA, [{ id: 1 }])
      const slice: ToEncoder = { kind: 'slice', columns: columns.map(withoutType), length }
      writer.postMessage(slice)
    }
  })
  await task
  await nextTurn()
  process.off('unhandledRejection', note)
  assert.ok(requests > 1)
  assert.deepEqual(rejections, [])
})
