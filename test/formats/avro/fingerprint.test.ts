import assert from 'node:assert/strict'
import { test } from 'node:test'
import avsc from 'avsc'
import { canonicalText, fingerprintOf } from '../../../src/formats/avro/fingerprint.ts'
import { parseAvroSchema } from '../../../src/formats/avro/schema.ts'

const of = (json: unknown) => parseAvroSchema(json, 'test')

test('Fingerprints equal those published with the tests of the Avro project', () => {
  const known: readonly (readonly [unknown, string])[] = [
    ['null', '63dd24e7cc258f8a'],
    ['int', '7275d51a3f395c8f'],
    ['string', '8f014872634503c7'],
    ['bytes', '4fc016dac3201965'],
  ]
  for (const [json, hex] of known) assert.equal(fingerprintOf(of(json)).toString(16), hex)
})

test('The canonical form uses full names, defines each type once, and omits attributes that do not affect the bytes', () => {
  const json = {
    doc: 'x',
    type: 'record',
    name: 'Outer',
    namespace: 'a.b',
    aliases: ['Old'],
    fields: [
      { name: 'h', type: { type: 'fixed', size: 16, name: 'Hash', doc: 'y' }, default: '0123456789abcdef' },
      { name: 'g', type: ['null', 'Hash'], order: 'ignore' },
      { name: 'e', type: { type: 'enum', name: 'c.E', symbols: ['X', 'Y'], default: 'X' } },
      { name: 't', type: { type: 'array', items: { type: 'long', logicalType: 'timestamp-millis' } } },
      { name: 'm', type: { type: 'map', values: { type: 'string' } } },
    ],
  }
  assert.equal(
    canonicalText(of(json)),
    '{"name":"a.b.Outer","type":"record","fields":[{"name":"h","type":{"name":"a.b.Hash","type":"fixed","size":16}},' +
      '{"name":"g","type":["null","a.b.Hash"]},{"name":"e","type":{"name":"c.E","type":"enum","symbols":["X","Y"]}},' +
      '{"name":"t","type":{"type":"array","items":"long"}},{"name":"m","type":{"type":"map","values":"string"}}]}',
  )
  // The canonical form according to another library.
  assert.equal(canonicalText(of(json)), JSON.stringify(avsc.Type.forSchema(json as avsc.Schema).schema()))
})
