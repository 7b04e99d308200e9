import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hilbertIndexOf } from '../../../src/delta/rewrite/hilbert.ts'
import { zOrderIndexOf } from '../../../src/delta/rewrite/zorder.ts'

function* points(dimensions: number, bits: number): Generator<number[]> {
  const side = 2 ** bits
  for (let index = 0; index < side ** dimensions; index++)
    yield Array.from({ length: dimensions }, (_, at) => Math.floor(index / side ** at) % side)
}

for (const [dimensions, bits] of [
  [1, 6],
  [2, 4],
  [3, 3],
  [4, 2],
  [5, 2],
] as const) {
  test(`The Hilbert curve of ${dimensions} dimensions visits every point once, and consecutive points are neighbours`, () => {
    const places: number[][] = []
    for (const point of points(dimensions, bits)) {
      const place = hilbertIndexOf(point, bits)
      assert.equal(places[place], undefined)
      places[place] = point
    }
    assert.equal(places.length, 2 ** (bits * dimensions))
    for (const [at, point] of places.entries()) {
      const before = places[at - 1] ?? point
      const distance = point.reduce((sum, x, axis) => sum + Math.abs(x - (before[axis] ?? 0)), 0)
      assert.equal(distance, at === 0 ? 0 : 1)
    }
  })
}

test('Z-order interleaves bits, the first column first', () => {
  assert.equal(zOrderIndexOf([0b11, 0b00], 2), 0b1010)
  assert.equal(zOrderIndexOf([0b00, 0b11], 2), 0b0101)
  assert.equal(zOrderIndexOf([0b10, 0b01, 0b11], 2), 0b101_011)
  assert.equal(zOrderIndexOf([1023, 1023, 1023, 1023, 1023], 10), 2 ** 50 - 1)
})
