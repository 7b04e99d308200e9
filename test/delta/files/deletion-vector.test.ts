import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from '@node-rs/crc32'
import { readDeletedRows, deletionVectorKey } from '../../../src/delta/files/deletion-vector.ts'
import { decodeZ85 } from '../../../src/delta/files/z85.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { encodeRows } from './roaring.ts'

const ROWS = [3, 4, 7, 11, 18, 29]
const BYTES = encodeRows(ROWS, () => 'array')
const INLINE = { storageType: 'i', pathOrInlineDv: z85(BYTES), sizeInBytes: BYTES.length, cardinality: 6 }
const ON_DISK = {
  storageType: 'u',
  pathOrInlineDv: 'ab^-aqEH.-t@S}K{vb[*k^',
  offset: 4,
  sizeInBytes: BYTES.length,
  cardinality: 6,
}
const KEY = 'ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin'

test('The name of a file of vectors is the one that the specification derives', () => {
  const { pathOrInlineDv: text } = ON_DISK
  assert.equal(deletionVectorKey(text), KEY)
  assert.equal(deletionVectorKey(text.slice(2)), KEY.slice(3))
})

test('An inline vector and one in a file delete the same rows', async () => {
  const store = await storeWith(fileOf(BYTES))
  for (const deletionVector of [INLINE, ON_DISK]) {
    const rows = await readDeletedRows(store, { path: 'f', deletionVector })
    const found = Array.from({ length: 40 }, (_, row) => row).filter((row) => rows?.has(row))
    assert.deepEqual(found, ROWS)
  }
  assert.equal(await readDeletedRows(store, { path: 'f' }), undefined)
})

for (const [fault, vector, message] of [
  ['that deletes another number of rows', { ...INLINE, cardinality: 7 }, /deletes 6 rows, the log says 7/],
  ['of another size', { ...INLINE, sizeInBytes: 10 }, /bytes, the log says 10/],
  [
    'with a character that is not a digit',
    { ...INLINE, pathOrInlineDv: '~~~~~', sizeInBytes: 4 },
    /not a Z85 digit/,
  ],
  ['beyond 32 bits', { ...INLINE, pathOrInlineDv: '#####', sizeInBytes: 4 }, /beyond 32 bits/],
  ['with an unknown storage type', { ...INLINE, storageType: 'x' }, /storageType/],
  ['without a cardinality', { ...INLINE, cardinality: undefined }, /cardinality is missing/],
  ['at a negative offset', { ...ON_DISK, offset: -1 }, /offset/],
  ['beyond the end of its file', { ...ON_DISK, offset: 4_000 }, /ends before/],
  ['of a size that no file has', { ...ON_DISK, sizeInBytes: 2 ** 52 }, /ends before/],
  ['of another size in its file', { ...ON_DISK, sizeInBytes: BYTES.length - 1 }, /bytes, the log says/],
  [
    'whose prefix leads out',
    { ...ON_DISK, pathOrInlineDv: `../${ON_DISK.pathOrInlineDv}` },
    /not a valid path prefix/,
  ],
  [
    'whose prefix is a parent',
    { ...ON_DISK, pathOrInlineDv: `..${'0'.repeat(20)}` },
    /not a valid path prefix/,
  ],
  ['whose file is missing', { ...ON_DISK, pathOrInlineDv: '0'.repeat(20) }, /missing/],
  [
    'at an absolute path that leads out',
    { ...ON_DISK, storageType: 'p', pathOrInlineDv: '../x' },
    /leads outside/,
  ],
] as const) {
  test(`A vector ${fault} is a corrupt table`, async () => {
    const store = await storeWith(fileOf(BYTES))
    await assert.rejects(readDeletedRows(store, { path: 'f', deletionVector: vector }), {
      code: 'KD_TABLE_CORRUPT',
      message,
    })
  })
}

test('Every changed bit in a file of deletion vectors is detected', async () => {
  const file = fileOf(BYTES)
  for (let bit = 0; bit < file.length * 8; bit++) {
    const at = bit >> 3
    // The bytes between the version and the vector are unused.
    if (at > 0 && at < 4) continue
    const damaged = Buffer.from(file)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit & 7))
    const store = await storeWith(damaged)
    await assert.rejects(readDeletedRows(store, { path: 'f', deletionVector: ON_DISK }), {
      code: 'KD_TABLE_CORRUPT',
    })
  }
})

test('The checksum is that of zip', () => {
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926)
})

test('Z85 decodes the example of its specification', () => {
  assert.deepEqual([...decodeZ85('HelloWorld')], [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b])
})

async function storeWith(file: Buffer): Promise<MemoryStore> {
  const store = new MemoryStore()
  await store.put(KEY, file)
  return store
}

function fileOf(bytes: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(bytes.length)
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(bytes))
  return Buffer.concat([Buffer.from([1, 0, 0, 0]), size, bytes, checksum])
}

function z85(bytes: Buffer): string {
  const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'
  const padded = Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
  let text = ''
  for (let at = 0; at < padded.length; at += 4) {
    const word = padded.readUInt32BE(at)
    for (let power = 4; power >= 0; power--) text += digits[Math.floor(word / 85 ** power) % 85] ?? ''
  }
  return text
}
