import assert from 'node:assert/strict'
import { it } from 'node:test'
import { exitCodeOf, EXIT } from '../../src/cli/exit-codes.ts'
import { errorBlock, jsonOf, tableOf } from '../../src/cli/output.ts'
import { typeText } from '../../src/cli/table/type-text.ts'
import { PipelineError } from '../../src/core/errors.ts'

it('a bigint is an exact JSON number, text that looks like one stays text', () => {
  assert.equal(
    jsonOf({ a: 9_007_199_254_740_993n, b: '12', c: -1n }, 0),
    '{"a":9007199254740993,"b":"12","c":-1}',
  )
})

it('numbers stand to the right, text to the left', () => {
  assert.equal(
    tableOf(
      ['name', 'n'],
      [
        ['a', 10n],
        ['longer', 9],
      ],
    ),
    'name     n\na       10\nlonger   9\n',
  )
})

it('a table without rows is its heading', () => {
  assert.equal(tableOf(['name', 'n'], []), 'name  n\n')
})

it('an error is one block: code, message, causes that say something new', () => {
  const cause = new Error('connection refused')
  const error = new PipelineError('KD_STORE_UNAVAILABLE', 'no answer', { table: 's3://a/b' }, { cause })
  assert.equal(
    errorBlock(error, false),
    'error: KD_STORE_UNAVAILABLE The object store did not answer: no answer (table s3://a/b)\n  because: connection refused\n',
  )
  assert.equal(errorBlock('text', true), 'error: text\n')
})

it('the exit code tells usage, prerequisites, servers that did not answer and other failures apart', () => {
  assert.equal(exitCodeOf(new PipelineError('KD_CONFIG_INVALID', '')), EXIT.usage)
  assert.equal(exitCodeOf(new PipelineError('KD_CONTRACT_INVALID', '')), EXIT.usage)
  assert.equal(exitCodeOf(new PipelineError('KD_PREREQUISITE_MISSING', '')), EXIT.prerequisite)
  assert.equal(exitCodeOf(new PipelineError('KD_KAFKA_UNREACHABLE', '')), EXIT.unavailable)
  assert.equal(exitCodeOf(new PipelineError('KD_TABLE_CORRUPT', '')), EXIT.failed)
  assert.equal(exitCodeOf(new Error('bug')), EXIT.failed)
})

it('nested types are one line', () => {
  const field = (name: string, type: 'long' | 'string') => ({ name, type, nullable: true, metadata: {} })
  const struct = { type: 'struct', fields: [field('a', 'long'), field('b', 'string')] } as const
  assert.equal(
    typeText({ type: 'array', elementType: struct, containsNull: true }),
    'array<struct<a: long, b: string>>',
  )
  assert.equal(
    typeText({ type: 'map', keyType: 'string', valueType: 'decimal(10,2)', valueContainsNull: true }),
    'map<string, decimal(10,2)>',
  )
})
