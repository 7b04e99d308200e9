import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'

const TABLE = { table: { uri: 'x' } }

function faultOf(object: object): string {
  try {
    loadConfig({ object })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return ''
}

test('A failing topic does not stop the others unless the process or its entry is configured to', () => {
  const plain = loadConfig({ object: { topics: { a: TABLE } } })
  assert.deepEqual([plain.onFailure, plain.topics['a']?.onFailure], ['stop-topic', undefined])
  assert.deepEqual({ ...plain.topics['a']?.restart }, { attempts: 6, baseMs: 1_000, capMs: 60_000 })
  assert.equal(plain.shutdown.deadlineMs, 25_000)
  const configured = loadConfig({
    object: { topics: { a: { ...TABLE, onFailure: 'stop-process', restart: { attempts: 1 } } } },
    env: { KAFKA_DELTA_ON_FAILURE: 'stop-process', KAFKA_DELTA_BUDGET_BYTES: '67108864' },
  })
  assert.deepEqual(
    [configured.onFailure, configured.topics['a']?.onFailure],
    ['stop-process', 'stop-process'],
  )
  assert.deepEqual([configured.budget.bytes, configured.topics['a']?.restart.attempts], [67_108_864, 1])
})

test('Contradicting options are refused with their keys', () => {
  assert.match(
    faultOf({ topics: { a: { ...TABLE, restart: { baseMs: 200, capMs: 100 } } } }),
    /topics\.a\.restart\.capMs: must be at least restart\.baseMs \(200\): value was 100$/,
  )
  assert.match(
    faultOf({ budget: { bytes: 1_000 } }),
    /budget\.bytes: must be at least kafka\.fetchBytesPerPartitionMax \(1048576\): value was 1000$/,
  )
  assert.match(faultOf({ onFailure: 'stop' }), /onFailure: must be one of the possible values/)
})
