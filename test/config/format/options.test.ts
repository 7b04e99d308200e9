import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { PipelineError } from '../../../src/core/errors.ts'

/** The faults that loading reports, without the line that counts them. */
function faultsOf(object: object): string[] {
  try {
    loadConfig({ object })
  } catch (error) {
    assert.ok(error instanceof PipelineError)
    return error.message.split('\n').slice(1)
  }
  return []
}

for (const [name, options, pattern] of [
  [
    'values that decompress to more than memory is there for',
    { decompressedBytesMax: 268_435_457 },
    /decompressedBytesMax: must not exceed 268435456: value was 268435457$/,
  ],
  [
    'Avro without a schema',
    { format: 'avro' },
    /avro\.schema: missing, and the framing none of Avro needs it$/,
  ],
  [
    'single objects without a folder that is there',
    { format: 'avro', framing: 'single-object', avro: { schemas: '/nowhere' } },
    /avro\.schemas: there is no \/nowhere$/,
  ],
  [
    'single objects that are no Avro',
    { framing: 'single-object' },
    /framing: single-object belongs to the format avro$/,
  ],
  [
    'a delimiter of two characters',
    { csv: { delimiter: '::' } },
    /csv\.delimiter: must be one character or tab: value was "::"$/,
  ],
  [
    'text with schema ids',
    { format: 'text', framing: 'registry' },
    /framing: registry belongs to the formats avro, json, jsonl and protobuf$/,
  ],
  [
    'the same character between and around fields',
    { csv: { delimiter: '"' } },
    /csv\.quote: must differ from csv\.delimiter$/,
  ],
  [
    'names of fields beside a header',
    { csv: { header: true, columns: ['a'] } },
    /csv\.columns: given, while csv\.header names the fields$/,
  ],
  [
    'containers that are no Avro',
    { format: 'jsonl', framing: 'container' },
    /framing: container belongs to the format avro$/,
  ],
  [
    'a reader schema that is not there',
    { format: 'avro', framing: 'container', avro: { readerSchema: '/nowhere' } },
    /avro\.readerSchema: there is no \/nowhere$/,
  ],
  [
    'more records in one message than memory is there for',
    { recordsPerMessageMax: 1_000_001 },
    /recordsPerMessageMax: must not exceed 1000000: value was 1000001$/,
  ],
  [
    'an unknown one of several formats',
    { formats: ['json', 'xml'] },
    /formats: must be of json, .*: value was "xml"$/,
  ],
  ['one of several formats twice', { formats: ['json', 'json'] }, /formats: names "json" twice$/],
  [
    'several formats beside one',
    { format: 'csv', formats: ['json', 'csv'] },
    /formats: given, while format is too$/,
  ],
  [
    'a framing of several formats',
    { formats: ['json', 'avro'], framing: 'container' },
    /framing: given, while formats tells the framing of each value by its first bytes$/,
  ],
  ['a field named twice', { csv: { columns: ['a', 'a'] } }, /csv\.columns: names "a" twice$/],
] as const) {
  test(`${name} in a topic is one fault`, () => {
    const faults = faultsOf({ topics: { a: { table: { uri: 's3://lake/a' }, ...options } } })
    assert.equal(faults.length, 1, faults.join('\n'))
    assert.match(faults[0] ?? '', pattern)
  })
}

const framed = { topics: { a: { format: 'avro', framing: 'registry', table: { uri: 's3://lake/a' } } } }

test('A registry is there where its address is, and topics that need it are named without it', () => {
  const [fault, ...others] = faultsOf(framed)
  assert.match(fault ?? '', /schemaRegistry\.url: missing, and topics\.a\.framing registry needs it$/)
  assert.deepEqual(others, [])
  assert.equal(loadConfig({ object: { topics: {} } }).schemaRegistry, undefined)
  const url = 'https://registry:8081'
  assert.equal(loadConfig({ object: { ...framed, schemaRegistry: { url } } }).schemaRegistry?.url, url)
})

test('A registry wants an address, and user and password together', () => {
  assert.match(faultsOf({ schemaRegistry: { url: 'registry' } })[0] ?? '', /must start with http/)
  const [fault] = faultsOf({ schemaRegistry: { url: 'http://r', username: 'ada' } })
  assert.match(fault ?? '', /schemaRegistry\.password: missing, while schemaRegistry\.username is given$/)
})
