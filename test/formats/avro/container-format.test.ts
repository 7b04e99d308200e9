import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheReaders } from '../../../src/formats/avro/container-format.ts'
import type { RecordReader } from '../../../src/formats/avro/read.ts'

const reader: RecordReader = { read: () => null }

function countingCache(): { made: string[]; readerOf: (text: string) => RecordReader } {
  const made: string[] = []
  const cached = cacheReaders((text) => {
    made.push(text.slice(0, 8))
    if (text.startsWith('bad')) throw new Error('refused')
    return reader
  })
  return { made, readerOf: (text) => cached(Buffer.from(text)) }
}

test('The reader of a schema is made once, and so is the fault of one that is refused', () => {
  const { made, readerOf } = countingCache()
  for (let time = 0; time < 2; time++) {
    assert.equal(readerOf('good'), reader)
    assert.throws(() => readerOf('bad'), /refused/)
  }
  assert.deepEqual(made, ['good', 'bad'])
})

test('Of more than a thousand schemas the least recently used one is made again', () => {
  const { made, readerOf } = countingCache()
  for (let id = 0; id < 1_000; id++) readerOf(`s${id}`)
  readerOf('s0')
  readerOf('s1000')
  made.length = 0
  readerOf('s0')
  readerOf('s1')
  assert.deepEqual(made, ['s1'])
})

test('Schemas of more than eight megabytes together are not kept', () => {
  const { made, readerOf } = countingCache()
  const large = (id: number): string => `s${id}`.padEnd(1024 * 1024)
  for (let id = 0; id < 9; id++) readerOf(large(id))
  made.length = 0
  readerOf(large(8))
  readerOf(large(0))
  assert.deepEqual(
    made.map((text) => text.trim()),
    ['s0'],
  )
})
