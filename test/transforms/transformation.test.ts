import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileTransforms } from '../../src/transforms/compile.ts'
import { rawOf } from '../support/flow/batches.ts'

const RECORDS = rawOf(['{}', '{}'], { first: 10n })
const OTHERS = rawOf(['{}'], { topic: 'others', first: 70n })

test('Every expression of a message sees the record of that message', () => {
  const transformation = compileTransforms({
    rules: [{ name: 'range', when: "kafka('offset') > `70`", error: 'beyond' }],
    filter: "kafka('offset') != `11`",
    transforms: { at: 'kafka.offset', from: "concat(kafka('topic'), '/', kafka('offset'))" },
  })
  assert.deepEqual(transformation.apply({}, RECORDS, 0), { at: 10, from: 'events/10' })
  assert.deepEqual(transformation.apply({}, OTHERS, 0), { at: 70, from: 'others/70' })
  assert.equal(typeof transformation.apply({}, RECORDS, 1), 'symbol')
})

test('A message that is transformed while another is keeps its own record', () => {
  const transformation = compileTransforms({
    transforms: {
      n: 'n',
      at: 'kafka.offset',
      from: "let $n = n in concat(kafka('topic'), '/', kafka('offset'))",
    },
  })
  const inner: unknown[] = []
  const message = {
    get n(): number {
      inner.push(transformation.apply({ n: 2 }, OTHERS, 0))
      return 1
    },
  }
  assert.deepEqual(transformation.apply(message, RECORDS, 0), { n: 1, at: 10, from: 'events/10' })
  assert.deepEqual(inner[0], { n: 2, at: 70, from: 'others/70' })
})
