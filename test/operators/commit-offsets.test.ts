import assert from 'node:assert/strict'
import { test } from 'node:test'
import { from, lastValueFrom, toArray } from 'rxjs'
import { commitOffsets, type CommitOffsetsOptions } from '../../operators/commit-offsets.ts'
import { NO_TRACE } from '../../src/core/flush-trace.ts'
import { addOf, flushOf } from '../support/flow/flushes.ts'
import { operatorContract } from '../support/flow/operator-contract.ts'

const committed = {
  version: 8n,
  adds: [addOf('a')],
  outcome: { kind: 'committed', version: 8n, attempts: 2, conflicts: 1, ambiguous: 3 },
  schemaChanged: true,
} as const
const nothing: CommitOffsetsOptions = {
  source: { commitOffsets: () => Promise.resolve() },
}
operatorContract('commitOffsets', () => commitOffsets(nothing))

test('Offsets are copied, then credit is released, then the trace ends, then the commit is emitted; flush after flush', async () => {
  const log: string[] = []
  const parts: CommitOffsetsOptions = {
    source: {
      commitOffsets: async (ranges) => {
        await new Promise((resolve) => setImmediate(resolve))
        log.push(`offsets to ${ranges[0]?.last}`)
      },
    },
    credit: { flushSettled: (bytes) => void log.push(`settled ${bytes}`) },
  }
  const trace = { ...NO_TRACE, end: (error?: unknown) => void log.push(`ended ${String(error)}`) }
  const flushes = [1, 2].map((id) => flushOf(committed, { id, trace }))
  const commits = await lastValueFrom(from(flushes).pipe(commitOffsets(parts), toArray()))
  assert.deepEqual(log, [
    'offsets to 9',
    'settled 100',
    'ended undefined',
    'offsets to 9',
    'settled 100',
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

test('A source whose offset commit fails stops the stream and keeps its credit', async () => {
  const parts: CommitOffsetsOptions = {
    source: { commitOffsets: () => Promise.reject(new Error('a bug')) },
    credit: { flushSettled: () => assert.fail('settled') },
  }
  await assert.rejects(lastValueFrom(from([flushOf(committed)]).pipe(commitOffsets(parts))), /a bug/)
})
