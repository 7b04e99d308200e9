import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WholeFraction } from '../../src/core/exact.ts'
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

test('A number such as 2.0 stays as written in fields and results, and is a time in a timestamp column', () => {
  const message = { n: new WholeFraction('2.0'), ts: new WholeFraction('1600000000000000.0'), list: [1] }
  const transformation = compileTransforms({
    transforms: {
      copy: 'n',
      first: 'not_null(missing, n)',
      at: 'ts',
      text: "concat(n, '!')",
      more: 'n + `1`',
    },
    drop: ['ts'],
    rename: { n: 'number' },
  })
  assert.deepEqual(transformation.apply(message, RECORDS, 0, [false, false, true, false, false]), {
    list: [1],
    copy: message.n,
    first: message.n,
    at: '2020-09-13T12:26:40Z',
    text: '2!',
    more: new WholeFraction('3.0'),
    number: message.n,
  })
})
