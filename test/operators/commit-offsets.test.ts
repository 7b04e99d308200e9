import assert from 'node:assert/strict'
import { test } from 'node:test'
import { from, lastValueFrom, toArray } from 'rxjs'
import { commitOffsets, type OffsetParts } from '../../operators/commit-offsets.ts'
import { NO_TRACE } from '../../src/core/flush-trace.ts'
import { addOf, flushOf } from '../support/flow/flushes.ts'
import { operatorContract } from '../support/flow/operator-contract.ts'

const committed = {
  version: 8n,
  adds: [addOf('a')],
  outcome: { kind: 'committed', version: 8n, attempts: 2, conflicts: 1, ambiguous: 3 },
  schemaChanged: true,
} as const
const nothing: OffsetParts = { source: { commitOffsets: () => Promise.resolve() }, settled: () => undefined }
operatorContract('commitOffsets', () => commitOffsets(nothing))

test('Offsets are mirrored, then credit is settled, then the trace ends, then the commit leaves; flush after flush', async () => {
  const log: string[] = []
  const parts: OffsetParts = {
    source: {
      commitOffsets: async (ranges) => {
        await new Promise((resolve) => setImmediate(resolve))
        log.push(`offsets to ${ranges[0]?.last}`)
      },
    },
    settled: ({ id, bytes }) => log.push(`settled ${id} ${bytes}`),
  }
  const trace = { ...NO_TRACE, end: (error?: unknown) => void log.push(`ended ${String(error)}`) }
  const flushes = [1, 2].map((id) => flushOf(committed, { id, trace }))
  const commits = await lastValueFrom(from(flushes).pipe(commitOffsets(parts), toArray()))
  assert.deepEqual(log, [
    'offsets to 9',
    'settled 1 100',
    'ended undefined',
    'offsets to 9',
    'settled 2 100',
    'ended undefined',
  ])
  assert.deepEqual(commits[0], {
    id: 1,
    version: 8n,
    ranges: flushes[0]?.ranges,
    counts: flushes[0]?.counts,
    adds: committed.adds,
    attempts: 2,
    conflicts: 1,
    ambiguous: 3,
    schemaChanged: true,
    newestMs: 7,
    trace,
  })
})

test('A source that breaks its promise never to fail stops the stream, its credit unsettled', async () => {
  const parts: OffsetParts = {
    source: { commitOffsets: () => Promise.reject(new Error('a bug')) },
    settled: () => assert.fail('settled'),
  }
  await assert.rejects(lastValueFrom(from([flushOf(committed)]).pipe(commitOffsets(parts))), /a bug/)
})
