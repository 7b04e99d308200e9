import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guessNextOffset } from '../../../src/kafka/fetch/next-offset.ts'
import { encodeBatch, encodeMarker, encodeMessage } from '../records/support/encode.ts'
import { chanceOf } from '../records/support/log-model.ts'

const batch = encodeBatch({ baseOffset: 10n, records: [{}, {}, {}], lastOffsetDelta: 4 })

test('The offset after the last complete entry is read from headers alone', () => {
  assert.equal(guessNextOffset(batch, 11n), 15n)
  const more = Buffer.concat([batch, encodeMarker(15n, 1n, 'abort')])
  assert.equal(guessNextOffset(more, 11n), 16n)
  assert.equal(guessNextOffset(more.subarray(0, -1), 11n), 15n)
  assert.equal(guessNextOffset(encodeMessage({ magic: 1, offset: 3n, value: Buffer.alloc(9) }), 3n), 4n)
})

test('Without a complete entry, or with earlier entries only, the result is the given offset', () => {
  assert.equal(guessNextOffset(null, 7n), 7n)
  assert.equal(guessNextOffset(Buffer.alloc(0), 7n), 7n)
  assert.equal(guessNextOffset(batch.subarray(0, 40), 7n), 7n)
  assert.equal(guessNextOffset(batch, 99n), 99n)
})

test('Wrong lengths end the scan', () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const chance = chanceOf(seed)
    const bytes = Buffer.concat([batch, batch])
    for (let times = 0; times < 4; times++) bytes[chance(bytes.length)] = chance(256)
    assert.ok(guessNextOffset(bytes, 5n) >= 5n, `seed ${seed}`)
  }
})
