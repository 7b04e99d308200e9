import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Chunk } from '../../../operators/buffer-time-or-count.ts'
import { ChunkJoiner, type ChunkHolder } from '../../../src/arrow/sparse/join-chunks.ts'
import { rowReaderOf } from '../../../src/arrow/objects/row-reader.ts'
import { columnsOf, structOf } from '../../support/flow/batches.ts'

const SCHEMA = structOf({ n: 'long', s: 'string' })
const UNPARTITIONED: readonly unknown[] = []

/** Returns holders of chunks of `rows` rows each, which have the numbers from 0 on. */
function holdersOf(sizes: readonly number[], more: Partial<Chunk> = {}, text = 'x'): ChunkHolder<Chunk>[] {
  let n = 0
  return sizes.map((rows) => {
    const columns = columnsOf(
      SCHEMA,
      Array.from({ length: rows }, () => ({ n: n++, s: n % 2 === 0 ? text : null })),
    )
    return { chunk: { columns, labels: undefined, partitions: [UNPARTITIONED], ...more } }
  })
}

function addAll(
  holders: readonly ChunkHolder<Chunk>[],
  keyOf: (index: number) => string = () => 't/0',
): void {
  const joiner = new ChunkJoiner<Chunk>()
  for (const [index, holder] of holders.entries()) joiner.add(keyOf(index), holder)
}

/** Returns the number of rows of each chunk that is left. */
function sizesOf(holders: readonly ChunkHolder<Chunk>[]): number[] {
  return holders.flatMap(({ chunk }) => (chunk === undefined ? [] : [chunk.columns.length]))
}

function numbersOf(holders: readonly ChunkHolder<Chunk>[]): unknown[] {
  return holders.flatMap(({ chunk }) => {
    if (chunk === undefined) return []
    const read = rowReaderOf(chunk.columns)
    return Array.from({ length: chunk.columns.length }, (_, row) => read(row)['n'])
  })
}

test('Sixteen small chunks of a Kafka partition become one with their rows in order', () => {
  const holders = holdersOf(Array.from({ length: 20 }, (_, index) => index + 60))
  const before = numbersOf(holders)
  addAll(holders)
  assert.deepEqual(sizesOf(holders), [16 * 60 + 120, 76, 77, 78, 79])
  assert.deepEqual(numbersOf(holders), before)
})

test('Chunks of several Kafka partitions are joined apart from each other', () => {
  const holders = holdersOf(Array<number>(32).fill(2))
  addAll(holders, (index) => `t/${index % 2}`)
  assert.deepEqual(sizesOf(holders), [32, 32])
  assert.ok(holders[0]?.chunk !== undefined && holders[1]?.chunk !== undefined)
})

test('Chunks that are large, of several table partitions or with dropped fields stay as they are', () => {
  const sizes = Array<number>(16).fill(2)
  for (const holders of [
    holdersOf(sizes, {}, 'x'.repeat(5000)),
    holdersOf(sizes, { labels: new Int32Array(2) }),
    holdersOf(sizes, { partitions: [UNPARTITIONED, ['a']] }),
    holdersOf(sizes, { droppedPaths: [] }),
    sizes.flatMap((rows, index) => holdersOf([rows], { partitions: [[index]] })),
  ]) {
    addAll(holders)
    assert.deepEqual(sizesOf(holders), sizes)
  }
})

test('Chunks are not joined to those from before their Kafka partition was forgotten', () => {
  const holders = holdersOf(Array<number>(16).fill(1))
  const joiner = new ChunkJoiner<Chunk>()
  for (const [index, holder] of holders.entries()) {
    if (index === 8) joiner.forget('t/0')
    joiner.add('t/0', holder)
  }
  assert.equal(sizesOf(holders).length, 16)
})
