import assert from 'node:assert/strict'
import { test } from 'node:test'
import { budgetOf } from '../../../src/service/supervision/process-memory.ts'
import { fetchSizesOf } from '../../../src/service/topic/source-options.ts'

const MIB = 1024 * 1024

test('The budget is the configured one, or a quarter of the memory, and never below 64 MiB', () => {
  assert.equal(budgetOf({ budget: { bytes: 5 }, workers: 0 }, 1024 * MIB).bytesMax, 5)
  assert.equal(budgetOf({ budget: {}, workers: 0 }, 1024 * MIB).bytesMax, 256 * MIB)
  assert.equal(budgetOf({ budget: {}, workers: 0 }, 100 * MIB).bytesMax, 64 * MIB)
  assert.equal(budgetOf({ budget: {}, workers: 2 }, 1024 * MIB).bytesMax, 216 * MIB, 'threads take memory')
  assert.ok(budgetOf({ budget: {}, workers: 0 }).bytesMax >= 64 * MIB, 'by the memory of this machine')
})

test('Fetch sizes are as configured if the credit allows, and smaller if many topics share it', () => {
  const kafka = { fetchBytesMax: 8 * MIB, fetchBytesPerPartitionMax: MIB }
  assert.deepEqual(fetchSizesOf(kafka, 256 * MIB), { fetchBytesMax: 8 * MIB, partitionBytesMax: MIB })
  assert.deepEqual(fetchSizesOf(kafka, 2 * MIB), { fetchBytesMax: MIB, partitionBytesMax: MIB / 2 })
  assert.deepEqual(fetchSizesOf(kafka, 1), { fetchBytesMax: 65_536, partitionBytesMax: 65_536 })
})
