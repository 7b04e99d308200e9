import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCompatible } from '../../src/contract/compatible.ts'
import { PipelineError } from '../../src/core/errors.ts'
import type { DataType, StructField, StructType } from '../../src/core/schema.ts'

const field = (name: string, type: DataType, nullable = true): StructField => ({
  name,
  type,
  nullable,
  metadata: {},
})
const struct = (...fields: StructField[]): StructType => ({ type: 'struct', fields })
const array = (elementType: DataType): DataType => ({ type: 'array', elementType, containsNull: true })
const map = (valueType: DataType): DataType => ({
  type: 'map',
  keyType: 'string',
  valueType,
  valueContainsNull: false,
})

function faultsOf(ours: StructType, table: StructType, extra: StructField[] = []): string[] {
  try {
    checkCompatible(ours, table, extra)
    return []
  } catch (error) {
    assert.ok(error instanceof PipelineError && error.code === 'KD_SCHEMA_MISMATCH')
    return error.message.replace(/^[^:]*: /, '').split('; ')
  }
}

test('equal columns in another order, with nullable ones beside them, are compatible', () => {
  const ours = struct(field('a', 'long'), field('b', struct(field('x', array('decimal(9,2)')))))
  const table = struct(
    field('b', struct(field('y', 'string'), field('x', array('decimal(9, 2)'), false))),
    field('a', 'long', false),
    field('_kafka_offset', 'long'),
    field('later', 'string'),
  )
  assert.deepEqual(faultsOf(ours, table, [field('_kafka_offset', 'long')]), [])
})

test('all faults are listed: missing, other type, other case, NOT NULL beyond the contract', () => {
  const ours = struct(
    field('gone', 'string'),
    field('n', 'long'),
    field('User', 'string'),
    field('t', 'date'),
  )
  const table = struct(
    field('n', 'integer'),
    field('user', 'string'),
    field('must', 'string', false),
    field('t', array('date')),
  )
  assert.deepEqual(faultsOf(ours, table), [
    'column gone is not in the table',
    'column n is long by the contract and integer in the table',
    'column User is user in the table, and names must be equal',
    'column t is date by the contract and array in the table',
    'column must of the table is NOT NULL, and the contract lacks it',
  ])
})

test('faults within structs, arrays and maps are named by their path', () => {
  const ours = struct(
    field('s', struct(field('a', 'long'))),
    field('l', array(struct(field('b', 'long')))),
    field('m', map('long')),
  )
  const table = struct(
    field('s', struct(field('a', 'short'))),
    field('l', array(struct(field('c', 'long')))),
    field('m', map('double')),
  )
  assert.deepEqual(faultsOf(ours, table), [
    'column s.a is long by the contract and short in the table',
    'column l.element.b is not in the table',
    'column m.value is long by the contract and double in the table',
  ])
})

test('a column that the contract and the pipeline both give is a fault', () => {
  const ours = struct(field('Event_Date', 'date'))
  assert.deepEqual(faultsOf(ours, struct(field('Event_Date', 'date')), [field('event_date', 'date')]), [
    'column event_date comes from the contract and from the pipeline',
    'column event_date is Event_Date in the table, and names must be equal',
  ])
})
