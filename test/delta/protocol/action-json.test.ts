import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructField } from '../../../src/core/schema.ts'
import { parseAction, serialiseAction, serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import type { Action } from '../../../src/delta/protocol/actions.ts'
import { parseSchema, serialiseSchema } from '../../../src/delta/schema/schema-json.ts'

test('Longs beyond 2^53 are exact in both directions', () => {
  const line = '{"txn":{"appId":"a","version":9223372036854775807,"lastUpdated":1}}'
  const action = parseAction(line)
  assert.deepEqual(action, {
    kind: 'txn',
    txn: { appId: 'a', version: 9223372036854775807n, lastUpdated: 1 },
  })
  assert.equal(
    serialiseAction({ kind: 'txn', txn: { appId: 'a', version: 2n ** 63n - 1n, lastUpdated: 1 } }),
    line,
  )
})

test('Unknown actions are ignored and unknown fields are left out', () => {
  assert.equal(parseAction('{"cdc":{"path":"x"}}'), undefined)
  assert.equal(parseAction('{"__proto__":{"path":"x"}}'), undefined)
  assert.deepEqual(parseAction('{"protocol":{"minReaderVersion":1,"minWriterVersion":2,"new":[1]}}'), {
    kind: 'protocol',
    protocol: { minReaderVersion: 1, minWriterVersion: 2 },
  })
})

test('The error for a missing or invalid field names it', () => {
  assert.throws(() => parseAction('{"txn":{"appId":"a"}}'), /txn\.version is missing/)
  assert.throws(() => parseAction('{"txn":{"appId":"a","version":"1"}}'), /txn\.version has an invalid value/)
  assert.throws(() => parseAction('{"txn":{"appId":"a","version":9223372036854775808}}'), /txn\.version/)
  assert.throws(() => parseAction('[]'), /must be a JSON object/)
})

test('Text that is not well-formed Unicode never becomes an action, wherever it is', () => {
  const schemaOf = (name: string): string =>
    JSON.stringify({ type: 'struct', fields: [{ name, type: 'long', nullable: true, metadata: {} }] })
  const metaData = {
    id: 'x',
    format: { provider: 'parquet', options: {} },
    schemaString: schemaOf('a'),
    partitionColumns: [],
    configuration: {},
  }
  const add = { path: 'p', partitionValues: { p: 'v' }, size: 1, modificationTime: 1, dataChange: true }
  const txn = { appId: 'a', version: 2n ** 60n }
  const refused: readonly Action[] = [
    { kind: 'txn', txn: { ...txn, appId: 'app-\ud800' } },
    { kind: 'metaData', metaData: { ...metaData, schemaString: schemaOf('\udc00x') } },
    { kind: 'metaData', metaData: { ...metaData, schemaString: schemaOf('a').replace('"a"', '"\ud800"') } },
    { kind: 'metaData', metaData: { ...metaData, configuration: { note: '\ud800' } } },
    { kind: 'metaData', metaData: { ...metaData, configuration: { '\ud800': 'x' } } },
    { kind: 'metaData', metaData: { ...metaData, name: '\udfff' } },
    { kind: 'add', add: { ...add, partitionValues: { p: '\ud83d' } } },
    { kind: 'add', add: { ...add, tags: { t: '\ud83d' } } },
    { kind: 'commitInfo', commitInfo: { operationParameters: { queryId: 'q\udc00' } } },
    { kind: 'commitInfo', commitInfo: { operationMetrics: { deep: [{ '\ud800': 1 }] } } },
    { kind: 'domainMetadata', domainMetadata: { domain: '\ud800', configuration: '', removed: false } },
  ]
  for (const action of refused)
    assert.throws(
      () => serialiseAction(action),
      {
        code: 'KD_COMMAND_INVALID',
        message: new RegExp(`the action ${action.kind} contains half of a surrogate`),
      },
      JSON.stringify(action.kind),
    )
  assert.throws(() => serialiseActions([{ kind: 'add', add }, ...refused.slice(0, 1)]), {
    code: 'KD_COMMAND_INVALID',
  })
  // The text of an escape, and both halves of a pair as escapes, are characters as any other.
  const kept: readonly Action[] = [
    { kind: 'txn', txn: { ...txn, appId: '\\ud800 \\\\udc00 😀' } },
    {
      kind: 'metaData',
      metaData: { ...metaData, schemaString: schemaOf('x').replace('x', '\\ud83d\\ude00') },
    },
    { kind: 'metaData', metaData: { ...metaData, schemaString: schemaOf('\\ud800') } },
    { kind: 'add', add: { ...add, stats: '{"minValues":{"s":"\\\\ud800"}}' } },
  ]
  for (const action of kept) assert.deepEqual(parseAction(serialiseAction(action)), action)
})

test('A schema with half of a surrogate pair in a name or in metadata has no text', () => {
  const field = { name: 'a', type: 'long', nullable: true, metadata: {} } as const
  const bad: readonly StructField[] = [
    { ...field, name: '\ud800' },
    { ...field, type: { type: 'struct', fields: [{ ...field, name: 'x\udc00' }] } },
    {
      ...field,
      type: {
        type: 'array',
        elementType: { type: 'struct', fields: [{ ...field, name: '\udfff' }] },
        containsNull: true,
      },
    },
    { ...field, metadata: { comment: '\ud800' } },
  ]
  for (const one of bad)
    assert.throws(() => serialiseSchema({ type: 'struct', fields: [one] }), {
      code: 'KD_SCHEMA_MISMATCH',
      message: /restore a version before it/,
    })
  assert.deepEqual(
    parseSchema(serialiseSchema({ type: 'struct', fields: [{ ...field, name: '😀 \\ud800' }] })).fields[0]
      ?.name,
    '😀 \\ud800',
  )
})

test('A schema with every kind of type keeps its text', () => {
  const text =
    '{"type":"struct","fields":[{"name":"a","type":"decimal(38,18)","nullable":true,"metadata":{"x":9007199254740993}},' +
    '{"name":"m","type":{"type":"map","keyType":"integer","valueType":{"type":"array","elementType":"timestamp_ntz",' +
    '"containsNull":false},"valueContainsNull":true},"nullable":false,"metadata":{}}]}'
  assert.equal(serialiseSchema(parseSchema(text)), text)
})

test('An unknown type is refused with its column', () => {
  const text = '{"type":"struct","fields":[{"name":"v","type":"variant","nullable":true,"metadata":{}}]}'
  assert.throws(() => parseSchema(text), { code: 'KD_TABLE_UNSUPPORTED', message: /variant.*column v/ })
})
