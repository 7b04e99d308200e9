import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bin, BinPacker } from '../../../src/delta/rewrite/bin-packing.ts'

/** Packs files of these sizes; the partition of file `i` is `i % partitions`. */
function pack(targetBytes: number, sizes: readonly number[], partitions = 1): { bins: Bin[]; left: number } {
  const packer = new BinPacker(targetBytes)
  const bins: Bin[] = []
  sizes.forEach((size, i) => {
    const bin = packer.add({
      path: `${i}`,
      partitionValues: { p: String(i % partitions) },
      size,
      deletedShare: 0,
    })
    if (bin !== undefined) bins.push(bin)
  })
  bins.push(...packer.rest())
  const packed = bins.reduce((sum, { files }) => sum + files.length, 0)
  return { bins, left: sizes.length - packed }
}

test('Files go into the first bin with room, in their order; a bin of one is left out', () => {
  const { bins } = pack(10, [4, 7, 4, 3, 2, 9])
  assert.deepEqual(
    bins.map(({ files, bytes }) => [files.map(({ path }) => path), bytes]),
    [
      [['0', '2', '4'], 10],
      [['1', '3'], 10],
    ],
  )
})

test('Files as large as the target are not packed', () => {
  assert.deepEqual(pack(10, [10, 11, 10]), { bins: [], left: 3 })
})

test('No bin holds files of two partitions, is too large, or holds a file twice', () => {
  const sizes = Array.from({ length: 2_000 }, (_, i) => 1 + ((i * 7919) % 60))
  const { bins } = pack(100, sizes, 3)
  const seen = new Set<string>()
  for (const { files, bytes } of bins) {
    assert.ok(files.length > 1 && bytes <= 100)
    assert.equal(new Set(files.map(({ partitionValues }) => partitionValues['p'])).size, 1)
    assert.equal(
      bytes,
      files.reduce((sum, { size }) => sum + size, 0),
    )
    for (const { path } of files) {
      assert.ok(!seen.has(path))
      seen.add(path)
    }
  }
  assert.ok(seen.size > 1_900)
})

test('Packed files are not packed again', () => {
  const sizes = Array.from({ length: 200 }, (_, i) => 1 + ((i * 31) % 50))
  const first = pack(1_000, sizes)
  const second = pack(1_000, [...first.bins.map(({ bytes }) => bytes)])
  assert.equal(first.left, 0)
  assert.deepEqual(second.bins, [])
})
