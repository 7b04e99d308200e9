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

test('other order and case, additional nullable columns, and columns that the table lacks are compatible', () => {
  const ours = struct(
    field('A', 'long'),
    field('b', struct(field('x', array('decimal(9,2)')))),
    field('new', 'string'),
  )
  const table = struct(
    field('b', struct(field('y', 'string'), field('x', array('decimal(9, 2)'), false))),
    field('a', 'long', false),
    field('_kafka_offset', 'long'),
    field('later', 'string'),
  )
  assert.deepEqual(faultsOf(ours, table, [field('_kafka_offset', 'long')]), [])
})

test('NOT NULL columns that neither contract nor pipeline fills are named, at any depth', () => {
  const ours = struct(
    field('s', struct(field('a', 'long'))),
    field('l', array(struct(field('b', 'long')))),
    field('m', map(struct(field('c', 'long')))),
  )
  const table = struct(
    field('must', 'string', false),
    field('s', struct(field('a', 'long', false), field('x', 'long', false))),
    field('l', array(struct(field('b', 'long'), field('y', 'long', false)))),
    field('m', map(struct(field('c', 'long'), field('z', 'long', false)))),
    field('_kafka_offset', 'long', false),
  )
  assert.deepEqual(faultsOf(ours, table, [field('_kafka_offset', 'long')]), [
    'table column must is NOT NULL, but the contract does not have it',
    'table column s.x is NOT NULL, but the contract does not have it',
    'table column l.element.y is NOT NULL, but the contract does not have it',
    'table column m.value.z is NOT NULL, but the contract does not have it',
  ])
})

test('a column defined by both the contract and the pipeline is a fault', () => {
  const ours = struct(field('Event_Date', 'date'))
  assert.deepEqual(faultsOf(ours, struct(field('Event_Date', 'date')), [field('event_date', 'date')]), [
    'column event_date is defined by both the contract and the pipeline',
  ])
})
