import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasInCommitTimestamps } from '../../../src/delta/log/in-commit-timestamp.ts'
import { rowTrackingColumnsOf } from '../../../src/delta/log/row-tracking.ts'
import { enableFeatures, findEnablementFaults } from '../../../src/delta/maintenance/feature-enablement.ts'
import {
  checkConstraintNameOf,
  checkTableProperties,
  columnMappingModeOf,
  isPropertySet,
} from '../../../src/delta/protocol/table-properties.ts'
import { structOf } from '../../support/flow/batches.ts'

const schema = structOf({ id: 'long' })

test('Boolean properties are compared without case; any other text counts as absent', () => {
  for (const text of ['true', 'TRUE', 'True']) {
    assert.equal(isPropertySet({ p: text }, 'p'), true)
    assert.equal(isPropertySet({ p: text }, 'p', true), true)
  }
  for (const text of ['false', 'FALSE']) {
    assert.equal(isPropertySet({ p: text }, 'p'), false)
    assert.equal(isPropertySet({ p: text }, 'p', true), false)
  }
  assert.deepEqual([isPropertySet({}, 'p'), isPropertySet({}, 'p', true)], [false, true])
  assert.deepEqual([isPropertySet({ p: '1' }, 'p'), isPropertySet({ p: '1' }, 'p', true)], [false, true])
  checkTableProperties({ 'delta.appendOnly': 'TRUE', 'delta.columnMapping.mode': 'Name' })
  assert.throws(() => checkTableProperties({ 'delta.appendOnly': 'yes' }), { code: 'KD_COMMAND_INVALID' })
})

test('Names and values of properties must be well-formed Unicode', () => {
  for (const properties of [
    { '\ud800': 'x' },
    { note: 'x\udc00' },
    { 'delta.constraints.c': "s = '\ud83d'" },
  ])
    assert.throws(() => checkTableProperties(properties), {
      code: 'KD_COMMAND_INVALID',
      message: /half of a surrogate pair/,
    })
  checkTableProperties({ '😀': 'ключ' })
})

test('A CHECK constraint is found by its prefix without case, and keeps its name', () => {
  assert.equal(checkConstraintNameOf('Delta.CONSTRAINTS.Positive'), 'Positive')
  assert.equal(checkConstraintNameOf('delta.appendOnly'), undefined)
})

test('A new table has the features that properties in any case enable', () => {
  const { protocol, configuration } = enableFeatures(schema, {
    'delta.enableInCommitTimestamps': 'TRUE',
    'delta.enableRowTracking': 'True',
    'delta.feature.deletionvectors': 'supported',
  })
  for (const feature of ['inCommitTimestamp', 'rowTracking', 'deletionVectors'])
    assert.ok(protocol.writerFeatures?.includes(feature), feature)
  assert.ok(!Object.keys(configuration).some((key) => key.startsWith('delta.feature.')))
  const table = { protocol, metadata: { configuration } }
  assert.equal(hasInCommitTimestamps(table), true)
  assert.ok(rowTrackingColumnsOf(table) !== undefined)
  assert.throws(() => enableFeatures(schema, { 'Delta.Constraints.positive': 'id > 0' }), /checkConstraints/)
  const suspended = { ...configuration, 'delta.rowTrackingSuspended': 'TRUE' }
  assert.equal(rowTrackingColumnsOf({ protocol, metadata: { configuration: suspended } }), undefined)
})

test('The mode of the column mapping is compared without case', () => {
  assert.equal(columnMappingModeOf({ 'delta.columnMapping.mode': 'NAME' }), 'name')
  assert.equal(columnMappingModeOf({}), 'none')
  const mapped = enableFeatures(schema, { 'delta.columnMapping.mode': 'Name' })
  assert.ok(mapped.schema.fields[0]?.metadata['delta.columnMapping.id'] !== undefined)
  const off = { 'delta.columnMapping.mode': 'NONE' }
  assert.deepEqual(findEnablementFaults(mapped.protocol, mapped.configuration, off), [
    'delta.columnMapping.mode cannot be disabled',
  ])
})
