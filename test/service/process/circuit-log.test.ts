import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Circuit } from '../../../src/core/circuit.ts'
import { logCircuitChange } from '../../../src/service/process/circuit-log.ts'
import { createLogger } from '../../../src/telemetry/log.ts'

const OPEN: Circuit = {
  ...{ kind: 'kafka', name: 'a:1,b:2', state: 'open', sinceMs: 0, openedCount: 1, retries: 3 },
  ...{ reason: 'No Kafka broker answered: refused (broker a:1)', code: 'KD_KAFKA_UNREACHABLE' },
}

test('A circuit that opens has a line with its kind, server, reason and code, and one when it closes', () => {
  const lines: { level: string; msg: string; kind: string; code?: string; trialAt?: string }[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as (typeof lines)[number])
  const log = createLogger({ level: 'info', pretty: false, destination: { write } })
  // The first response after the start is no news.
  logCircuitChange({ ...OPEN, state: 'closed', openedCount: 0 }, log)
  logCircuitChange(OPEN, log)
  logCircuitChange({ ...OPEN, state: 'closed' }, log)
  logCircuitChange({ ...OPEN, kind: 'store', name: 's3://lake', trialAtMs: 60_000 }, log)
  assert.deepEqual(
    lines.map(({ level, kind, code, msg }) => [level, kind, code, msg]),
    [
      [
        'warn',
        'kafka',
        'KD_KAFKA_UNREACHABLE',
        `Circuit opened for a:1,b:2: all topics wait until a Kafka broker answers: ${OPEN.reason}`,
      ],
      ['info', 'kafka', 'KD_KAFKA_UNREACHABLE', 'Circuit closed for a:1,b:2: a Kafka broker answers'],
      [
        'warn',
        'store',
        'KD_KAFKA_UNREACHABLE',
        `Circuit opened for s3://lake: topics using it are paused: ${OPEN.reason}`,
      ],
    ],
  )
  assert.equal(lines[2]?.trialAt, '1970-01-01T00:01:00.000Z')
})
