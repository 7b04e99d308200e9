import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'

const CASES: readonly (readonly [topic: object, fault: RegExp])[] = [
  [{ appId: 'a\ud800' }, /topics\.a\.appId: must be well-formed Unicode/],
  [{ rename: { x: '\udc00y' } }, /topics\.a\.rename\.x: must be well-formed Unicode/],
  [{ derive: { 'y\ud800': 'year(ts)' } }, /topics\.a\.derive: the name "y\\ud800" must be well-formed/],
  [{ transforms: { x: "'\ud83d'" } }, /topics\.a\.transforms\.x: must be well-formed/],
  [{ drop: ['fine', '\udfff'] }, /topics\.a\.drop\[1\]: must be well-formed/],
  [{ table: { uri: 'x', properties: { note: '\ud83d' } } }, /table\.properties\.note: must be well-formed/],
  [
    { table: { uri: 'x', partitionColumns: ['\udc00'] } },
    /table\.partitionColumns\[0\]: must be well-formed/,
  ],
]

test('Text of the configuration that is not well-formed Unicode is a fault with its key, wherever it is', () => {
  for (const [topic, fault] of CASES) {
    const object = { topics: { a: { table: { uri: 's3://lake/a' }, ...topic } } }
    assert.throws(() => loadConfig({ object }), { code: 'KD_CONFIG_INVALID', message: fault })
  }
  const object = { topics: { 'b\ud800': { table: { uri: 's3://lake/a' } } } }
  assert.throws(() => loadConfig({ object }), /topics: the name "b\\ud800" must be well-formed/)
  assert.throws(
    () => loadConfig({ set: ['topics.a.appId="\\ud800"'] }),
    /topics\.a\.appId: must be well-formed/,
  )
  const pairs = { topics: { a: { table: { uri: 's3://lake/a', properties: { '😀': '😀' } }, appId: 'é😀' } } }
  assert.equal(loadConfig({ object: pairs }).topics['a']?.appId, 'é😀')
})
