import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur3, murmur3OfLong } from '../../src/enrichments/murmur3.ts'

/**
 * Computed with the Python package mmh3; the hashes of "iceberg" and of the bytes 0 to 3 also appear in the Iceberg
 * specification.
 */
const TEXTS: Readonly<Record<string, number>> = {
  '': 0,
  a: 1_009_084_850,
  ab: -1_681_926_305,
  abc: -1_277_324_294,
  iceberg: 1_210_000_089,
  Grüße: 1_791_607_040,
  '日本語🙂': 1_838_638_937,
  ['x'.repeat(37)]: -1_005_983_109,
}

test('Hashes of texts of every length modulo 4 match other implementations', () => {
  for (const [text, hash] of Object.entries(TEXTS)) assert.equal(murmur3(Buffer.from(text)), hash, text)
  assert.equal(murmur3(Uint8Array.of(0, 1, 2, 3)), -188_683_207)
  assert.equal(murmur3(new Uint8Array(7).fill(255)), 18_685_351)
})

test('A range of bytes has the hash of those bytes alone', () => {
  assert.equal(murmur3(Buffer.from('xxiceberg!'), 2, 9), 1_210_000_089)
})

test('A long has the hash of its eight bytes, little-endian', () => {
  assert.equal(murmur3OfLong(34, 0), 2_017_239_379)
  assert.equal(murmur3OfLong(-1, -1), 1_651_860_712)
  const bytes = new Uint8Array(new BigInt64Array([1_510_871_468_000_000n]).buffer)
  assert.equal(murmur3(bytes), -2_047_944_441)
})
