import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'

const TABLE = { table: { uri: 'x' } }

test('Circuits are configured for the process, retries for each topic', () => {
  const { circuit, topics } = loadConfig({
    object: { circuit: { failures: 2 }, topics: { a: { ...TABLE, retry: { attempts: 9 } }, b: TABLE } },
    env: { KAFKA_DELTA_CIRCUIT_OPEN_MS: '1000' },
  })
  assert.deepEqual({ ...circuit }, { failures: 2, openMs: 1_000, successes: 3 })
  assert.deepEqual([topics['a']?.retry.attempts, topics['b']?.retry.attempts], [9, 6])
})

test('A maximum backoff below the first one, and circuits that never open, are refused', () => {
  assert.throws(
    () => loadConfig({ object: { topics: { a: { ...TABLE, retry: { capMs: 100 } } } } }),
    /topics\.a\.retry\.capMs: must be at least retry\.baseMs \(200\): value was 100$/,
  )
  assert.throws(
    () => loadConfig({ object: { circuit: { failures: 0 }, topics: { a: TABLE } } }),
    /circuit\.failures: must be a whole number above 0/,
  )
})
