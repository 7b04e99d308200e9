import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { PipelineError } from '../../../src/core/errors.ts'

/** Returns the faults that loading reports, without the line with their number. */
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
    'a limit of decompressed bytes above the maximum',
    { decompressedBytesMax: 268_435_457 },
    /decompressedBytesMax: must not exceed 268435456: value was 268435457$/,
  ],
  [
    'Avro without a schema',
    { format: 'avro' },
    /avro\.schema: is required by format avro with framing none$/,
  ],
  [
    'single objects with a folder that does not exist',
    { format: 'avro', framing: 'single-object', avro: { schemas: '/nowhere' } },
    /avro\.schemas: does not exist: \/nowhere$/,
  ],
  [
    'single objects in another format than Avro',
    { framing: 'single-object' },
    /framing: single-object requires the format avro$/,
  ],
  [
    'a delimiter of two characters',
    { csv: { delimiter: '::' } },
    /csv\.delimiter: must be one character or tab: value was "::"$/,
  ],
  [
    'text with schema ids',
    { format: 'text', framing: 'registry' },
    /framing: registry requires the format avro, json, jsonl or protobuf$/,
  ],
  [
    'the same character between and around fields',
    { csv: { delimiter: '"' } },
    /csv\.quote: must differ from csv\.delimiter$/,
  ],
  [
    'names of fields in addition to a header',
    { csv: { header: true, columns: ['a'] } },
    /csv\.columns: is set, but with csv\.header the first line names the fields$/,
  ],
  [
    'containers in another format than Avro',
    { format: 'jsonl', framing: 'container' },
    /framing: container requires the format avro$/,
  ],
  [
    'a reader schema that does not exist',
    { format: 'avro', framing: 'container', avro: { readerSchema: '/nowhere' } },
    /avro\.readerSchema: does not exist: \/nowhere$/,
  ],
  [
    'a limit of records per message above the maximum',
    { recordsPerMessageMax: 1_000_001 },
    /recordsPerMessageMax: must not exceed 1000000: value was 1000001$/,
  ],
  [
    'an unknown one of several formats',
    { formats: ['json', 'xml'] },
    /formats: must be among json, .*: value was "xml"$/,
  ],
  ['one of several formats twice', { formats: ['json', 'json'] }, /formats: names "json" twice$/],
  [
    'both format and formats',
    { format: 'csv', formats: ['json', 'csv'] },
    /formats: is set, but format is set too: use one of them$/,
  ],
  [
    'a framing with several formats',
    { formats: ['json', 'avro'], framing: 'container' },
    /framing: is set, but with formats the framing of each value is detected from its first bytes$/,
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

test('A registry is configured by its URL; without it, topics that need one are reported', () => {
  const [fault, ...others] = faultsOf(framed)
  assert.match(fault ?? '', /schemaRegistry\.url: is required by topics\.a\.framing registry$/)
  assert.deepEqual(others, [])
  assert.equal(loadConfig({ object: { topics: {} } }).schemaRegistry, undefined)
  const url = 'https://registry:8081'
  assert.equal(loadConfig({ object: { ...framed, schemaRegistry: { url } } }).schemaRegistry?.url, url)
})

test('A registry requires a URL, and user name and password together', () => {
  assert.match(faultsOf({ schemaRegistry: { url: 'registry' } })[0] ?? '', /must start with http/)
  const [fault] = faultsOf({ schemaRegistry: { url: 'http://r', username: 'ada' } })
  assert.match(fault ?? '', /schemaRegistry\.password: is required because schemaRegistry\.username is set$/)
})
