import assert from 'node:assert/strict'
import { it } from 'node:test'
import { spanLinkOf, sampleEvenly } from '../../../src/telemetry/tracing/traceparent.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

it('a traceparent becomes a link to a remote span', () => {
  assert.deepEqual(spanLinkOf(`00-${traceId}-${spanId}-01`), {
    context: { traceId, spanId, traceFlags: 1, isRemote: true },
  })
})

it('only the sampled flag is used', () => {
  assert.equal(spanLinkOf(`00-${traceId}-${spanId}-02`)?.context.traceFlags, 0)
})

it('a later version may have further fields after the flags', () => {
  assert.equal(spanLinkOf(`01-${traceId}-${spanId}-01-more`)?.context.traceId, traceId)
})

for (const header of [
  '',
  'nonsense',
  `00-${traceId}-${spanId}`,
  `00-${traceId}-${spanId}-01-more`,
  `ff-${traceId}-${spanId}-01`,
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
]) {
  it(`${JSON.stringify(header)} is no link`, () => {
    assert.equal(spanLinkOf(header), undefined)
  })
}

it('a sample keeps all items up to the limit, otherwise exactly the limit with both ends', () => {
  const items = Array.from({ length: 1000 }, (_, index) => index)
  assert.deepEqual(sampleEvenly(items.slice(0, 128), 128), items.slice(0, 128))
  for (const length of [129, 130, 200, 255, 256, 257, 999, 1000]) {
    const kept = sampleEvenly(items.slice(0, length), 128)
    assert.equal(kept.length, 128, `of ${length}`)
    assert.equal(kept[0], 0)
    assert.equal(kept.at(-1), length - 1)
    assert.equal(new Set(kept).size, 128)
  }
})
