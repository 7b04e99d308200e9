import assert from 'node:assert/strict'
import { it } from 'node:test'
import { exitCodeOf, EXIT } from '../../src/service/process/exit-codes.ts'
import { formatError, formatJson, formatTable } from '../../src/cli/output.ts'
import { formatDataType } from '../../src/cli/table/type-text.ts'
import { PipelineError } from '../../src/core/errors.ts'

it('a bigint becomes an exact JSON number, text that looks like a number stays text', () => {
  assert.equal(
    formatJson({ a: 9_007_199_254_740_993n, b: '12', c: -1n }, 0),
    '{"a":9007199254740993,"b":"12","c":-1}',
  )
})

it('numbers are right-aligned, text is left-aligned', () => {
  assert.equal(
    formatTable(
      ['name', 'n'],
      [
        ['a', 10n],
        ['longer', 9],
      ],
    ),
    'name     n\na       10\nlonger   9\n',
  )
})

it('a table without rows is only its heading', () => {
  assert.equal(formatTable(['name', 'n'], []), 'name  n\n')
})

it('an error is formatted as one block: code, message, and causes that add information', () => {
  const cause = new Error('connection refused')
  const error = new PipelineError('KD_STORE_UNAVAILABLE', 'no answer', { table: 's3://a/b' }, { cause })
  assert.equal(
    formatError(error, false),
    'error: KD_STORE_UNAVAILABLE The object store did not answer: no answer (table s3://a/b)\n  because: connection refused\n',
  )
  assert.equal(formatError('text', true), 'error: text\n')
})

it('the exit code distinguishes usage errors, prerequisites, unavailable servers and other failures', () => {
  assert.equal(exitCodeOf(new PipelineError('KD_CONFIG_INVALID', '')), EXIT.usage)
  assert.equal(exitCodeOf(new PipelineError('KD_CONTRACT_INVALID', '')), EXIT.usage)
  assert.equal(exitCodeOf(new PipelineError('KD_PREREQUISITE_MISSING', '')), EXIT.prerequisite)
  assert.equal(exitCodeOf(new PipelineError('KD_KAFKA_UNREACHABLE', '')), EXIT.unavailable)
  assert.equal(exitCodeOf(new PipelineError('KD_TABLE_CORRUPT', '')), EXIT.failed)
  assert.equal(exitCodeOf(new Error('bug')), EXIT.uncaught)
})

it('nested types are formatted on one line', () => {
  const field = (name: string, type: 'long' | 'string') => ({ name, type, nullable: true, metadata: {} })
  const struct = { type: 'struct', fields: [field('a', 'long'), field('b', 'string')] } as const
  assert.equal(
    formatDataType({ type: 'array', elementType: struct, containsNull: true }),
    'array<struct<a: long, b: string>>',
  )
  assert.equal(
    formatDataType({ type: 'map', keyType: 'string', valueType: 'decimal(10,2)', valueContainsNull: true }),
    'map<string, decimal(10,2)>',
  )
})
