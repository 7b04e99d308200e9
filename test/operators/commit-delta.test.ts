import assert from 'node:assert/strict'
import { test } from 'node:test'
import { from, lastValueFrom, of, toArray, type Observable } from 'rxjs'
import { appIdOf, commitDelta, type CommitDeltaOptions } from '../../operators/commit-delta.ts'
import type { DeadLetter, Flush } from '../../src/core/batch.ts'
import { PipelineError } from '../../src/core/errors.ts'
import type { Append, CommitOutcome, TableWriter } from '../../src/delta/commit/table-writer.ts'
import type { DataFiles } from '../../operators/write-parquet.ts'
import type { Add } from '../../src/delta/protocol/actions.ts'
import { structOf } from '../support/flow/batches.ts'
import { layoutFor } from '../support/flow/layouts.ts'
import { addOf, flushOf } from '../support/flow/flushes.ts'
import { operatorContract } from '../support/flow/operator-contract.ts'

const letter: DeadLetter = {
  reason: 'decode',
  message: 'm',
  topic: 'events',
  partition: 3,
  offset: 6n,
  timestampMs: 1,
  key: undefined,
  value: undefined,
}
const COMMITTED: CommitOutcome = { kind: 'committed', version: 8n, attempts: 2, conflicts: 1, ambiguous: 0 }

interface Scene {
  readonly log: string[]
  readonly appends: Append[]
  readonly parts: CommitDeltaOptions
}

/** Creates a table and a sink that record their calls in order. */
function scene(
  outcome: CommitOutcome | Error = COMMITTED,
  fenced: readonly string[] = [],
  failing = false,
): Scene {
  const log: string[] = []
  const appends: Append[] = []
  const table = {
    findFenced: () => {
      log.push('fenced?')
      return Promise.resolve(fenced)
    },
    append: (append: Append) => {
      log.push('append')
      appends.push(append)
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome)
    },
  } as unknown as TableWriter
  const parts: CommitDeltaOptions = {
    table,
    appId: 'app',
    clock: { now: () => 1234, sleep: () => Promise.resolve() },
    deadLetters: {
      write: (letters, ranges) => {
        log.push(`letters ${letters.length} of ${ranges.length}`)
        return failing ? Promise.reject(new Error('no letters')) : Promise.resolve()
      },
    },
    layOutForSnapshot: (files) => Promise.resolve(files),
    handleFenced: (_, appIds) => {
      log.push(`fenced ${appIds.join()}`)
      return Promise.resolve()
    },
  }
  return { log, appends, parts }
}
/** Creates files without rows. */
const filesOf = (adds: readonly Add[], incompatibleReason?: string): DataFiles => ({
  layout: {
    ...layoutFor(structOf({ n: 'long' })),
    ...(incompatibleReason === undefined ? {} : { incompatibleReason }),
  },
  adds,
  chunks: [],
  discard: () => Promise.resolve(),
})
const run = (parts: CommitDeltaOptions, ...flushes: [readonly Add[], Partial<Flush<DataFiles>>?][]) =>
  lastValueFrom(
    from(flushes.map(([adds, facts]) => flushOf(filesOf(adds), facts))).pipe(commitDelta(parts), toArray()),
  )

operatorContract('commitDelta', () => commitDelta(scene().parts))

test('Files and offsets are one append, and the flush is emitted with its version', async () => {
  const { log, appends, parts } = scene()
  const [flush] = await run(parts, [[addOf('a'), addOf('b')]])
  assert.deepEqual(log, ['append'])
  assert.deepEqual(
    [flush?.payload.version, flush?.payload.outcome, flush?.payload.adds.length, flush?.bytes],
    [8n, COMMITTED, 2, 100],
  )
  assert.deepEqual(appends[0]?.txns, [{ appId: 'app-3', version: 9n, lastUpdated: 1234, follows: 4n }])
  assert.deepEqual(
    appends[0].adds.map(({ path }) => path),
    ['a', 'b'],
  )
  const { numAddedFiles, numOutputRows, numOutputBytes, numTombstones } = appends[0].operationMetrics
  assert.deepEqual([numAddedFiles, numOutputRows, numOutputBytes, numTombstones], ['2', '3', '20', '2'])
})

test('Every Kafka partition of the flush has its txn, also without a file', async () => {
  const { appends, parts } = scene()
  const ranges = [0, 1].map((partition) => ({
    topic: 'events',
    partition,
    follows: undefined,
    first: 0n,
    last: 1n,
  }))
  await run(parts, [[], { ranges }])
  assert.deepEqual(
    appends[0]?.txns.map(({ appId, follows }) => [appId, follows]),
    [
      ['app-0', undefined],
      ['app-1', undefined],
    ],
  )
  assert.equal(appIdOf('a-b', 12), 'a-b-12')
})

test('The id of the topic is a constant of each commit, once for all partitions', async () => {
  const { appends, parts } = scene()
  const ranges = [0, 1].map((partition) => ({
    topic: 'events',
    partition,
    follows: 1n,
    first: 2n,
    last: 3n,
    topicId: 77n,
  }))
  await run(parts, [[], { ranges }], [[], { ranges }])
  for (const { txns } of appends) {
    assert.equal(txns.length, 3)
    const id = {
      appId: 'app-topic-id',
      version: 77n,
      lastUpdated: 1234,
      follows: undefined,
      isConstant: true,
    }
    assert.deepEqual(txns[2], id)
  }
})

test('Dead letters are written before the commit that passes their offsets', async () => {
  const { log, parts } = scene()
  await run(parts, [[], { deadLetters: [letter] }])
  assert.deepEqual(log, ['fenced?', 'letters 1 of 1', 'append'])
})

test('A flush whose offsets are already committed writes no dead letters, is not emitted, and is fenced', async () => {
  const { log, parts } = scene(COMMITTED, ['app-3'])
  assert.deepEqual(await run(parts, [[], { deadLetters: [letter] }]), [])
  assert.deepEqual(log, ['fenced?', 'fenced app-3'])
})

test('A flush whose offsets another writer commits first is not emitted, and the next flush continues', async () => {
  const { log, parts } = scene({ kind: 'fenced', appIds: ['app-3'], attempts: 1, conflicts: 1 })
  assert.deepEqual(await run(parts, [[addOf('a')]], [[addOf('b')], { id: 2 }]), [])
  assert.deepEqual(log, ['append', 'fenced app-3', 'append', 'fenced app-3'])
})

test('Dead letters that cannot be written stop the stream before the commit', async () => {
  const { log, parts } = scene(COMMITTED, [], true)
  await assert.rejects(run(parts, [[], { deadLetters: [letter] }]), /no letters/)
  assert.deepEqual(log, ['fenced?', 'letters 1 of 1'])
})

test('A failed commit stops the stream, and no later flush is tried', async () => {
  const { log, parts } = scene(new Error('no commit'))
  await assert.rejects(run(parts, [[]], [[]]), /no commit/)
  assert.deepEqual(log, ['append'])
})

test('An error while a flush is abandoned stops the stream', async () => {
  const { parts } = scene(COMMITTED, ['app-3'])
  const fenced = (): Promise<void> => Promise.reject(new Error('no reset'))
  const abandoned = of(flushOf(filesOf([addOf('a')]), { deadLetters: [letter] })).pipe(
    commitDelta({ ...parts, handleFenced: fenced }),
  )
  await assert.rejects(lastValueFrom(abandoned), /no reset/)
})

test('For a changed table the flush is written to other files, and its dead letters are not written again', async () => {
  const changed: CommitOutcome = { kind: 'changed', attempts: 1, conflicts: 1 }
  const outcomes = [changed, changed, COMMITTED]
  const { log, appends, parts } = scene()
  const table = {
    findFenced: () => Promise.resolve([]),
    append: (append: Append) => {
      appends.push(append)
      return Promise.resolve(outcomes[appends.length - 1])
    },
  } as unknown as TableWriter
  const [first, second, third] = ['a', 'b', 'c'].map((path) => filesOf([addOf(path)])) as [
    DataFiles,
    DataFiles,
    DataFiles,
  ]
  const layOutForSnapshot = (files: DataFiles): Promise<DataFiles> =>
    Promise.resolve(files === first ? second : third)
  const [flush] = await lastValueFrom(
    of(flushOf(first, { deadLetters: [letter] })).pipe(
      commitDelta({ ...parts, table, layOutForSnapshot }),
      toArray(),
    ),
  )
  assert.deepEqual(
    appends.map(({ adds }) => adds.map(({ path }) => path)),
    [['a'], ['b'], ['c']],
  )
  assert.deepEqual(flush?.payload.adds, third.adds)
  assert.deepEqual(log, ['letters 1 of 1'])
})

test('A table that never stops changing ends the stream with KD_COMMIT_CONFLICT', async () => {
  const { appends, parts } = scene({ kind: 'changed', attempts: 1, conflicts: 1 })
  await assert.rejects(run(parts, [[addOf('a')]]), { code: 'KD_COMMIT_CONFLICT' })
  assert.equal(appends.length, 10)
})

test('Rows that do not fit the new snapshot are dropped with the reason, and the next flush continues', async () => {
  const { appends, log, parts } = scene()
  const outcomes: CommitOutcome[] = [{ kind: 'changed', attempts: 1, conflicts: 1 }, COMMITTED]
  const dropped: (string | undefined)[] = []
  const flushes = await lastValueFrom(
    from([flushOf(filesOf([addOf('a')])), flushOf(filesOf([addOf('b')]), { id: 2 })]).pipe(
      commitDelta({
        ...parts,
        table: {
          ...parts.table,
          append: (append) => {
            appends.push(append)
            return Promise.resolve(outcomes[appends.length - 1] ?? COMMITTED)
          },
        },
        layOutForSnapshot: () => Promise.resolve(filesOf([], 'n is not positive')),
        handleFenced: (_, appIds, reason) => {
          dropped.push(...appIds, reason)
          return Promise.resolve()
        },
      }),
      toArray(),
    ),
  )
  assert.deepEqual(dropped, ['app-3', 'n is not positive'])
  assert.deepEqual(
    flushes.map(({ id }) => id),
    [2],
  )
  assert.deepEqual(log, [])
})

test('Two subscriptions of one operator each count their own flushes that do not fit the table', async () => {
  const { parts } = scene()
  const operator = commitDelta(parts)
  const unfit = (count: number): Observable<Flush<DataFiles>> =>
    from(Array.from({ length: count }, () => flushOf(filesOf([], 'n is not positive'))))
  const fifty = unfit(50).pipe(operator, toArray())
  // The same observable twice, and the same operator in another pipe.
  for (const stream of [fifty, fifty, unfit(50).pipe(operator, toArray())])
    assert.deepEqual(await lastValueFrom(stream), [])
  await assert.rejects(lastValueFrom(unfit(51).pipe(operator)), { code: 'KD_COMMIT_CONFLICT' })
})

test('Files of a flush whose table was replaced are deleted, also those that were made last; after other errors they stay', async () => {
  for (const [code, expected] of [
    ['KD_TABLE_REPLACED', ['second']],
    ['KD_STORE_UNAVAILABLE', []],
  ] as const) {
    const discarded: string[] = []
    const made = (name: string): DataFiles => ({
      ...filesOf([addOf(name)]),
      discard: () => Promise.resolve(void discarded.push(name)),
    })
    const { parts } = scene()
    const outcomes = [
      Promise.resolve({ kind: 'changed', attempts: 1, conflicts: 1 } as const),
      Promise.reject(new PipelineError(code, 'of a test')),
    ]
    outcomes[1]?.catch(() => undefined)
    const failing: CommitDeltaOptions = {
      ...parts,
      table: {
        ...parts.table,
        append: () => outcomes.shift() ?? Promise.reject(new Error('appended too often')),
      },
      layOutForSnapshot: () => Promise.resolve(made('second')),
    }
    await assert.rejects(lastValueFrom(of(flushOf(made('first'))).pipe(commitDelta(failing))), { code })
    assert.deepEqual(discarded, expected)
  }
})
