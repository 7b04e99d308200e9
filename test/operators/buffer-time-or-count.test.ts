import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bufferTimeOrCount,
  type BufferOptions,
  type Chunk,
  type FlushLimits,
} from '../../operators/buffer-time-or-count.ts'
import { partitionBy } from '../../operators/partition-by.ts'
import type { Batch, Flush, Provenance } from '../../src/core/batch.ts'
import type { FlushCredit } from '../../src/core/credit/flush-credit.ts'
import type { PartitionedRows } from '../../operators/partition-by.ts'
import { provenanceOf, rowsOf, structOf } from '../support/flow/batches.ts'
import { marbles } from '../support/flow/marbles.ts'
import { operatorContract, outputsOf } from '../support/flow/operator-contract.ts'
import { of, Subject } from 'rxjs'

const NEVER_FULL: FlushLimits = { count: 1e9, bytes: 1e9, ageMs: 1e6 }
operatorContract('bufferTimeOrCount', () => bufferTimeOrCount(NEVER_FULL))

/** Creates a batch of rows with consecutive offsets. */
function batch(
  first: number,
  records: number,
  facts: Partial<Provenance> = {},
  text = 'x',
): Batch<PartitionedRows> {
  const rows = Array.from({ length: records }, () => ({ s: text }))
  const provenance = provenanceOf({ first: BigInt(first), records, bytes: 1_000_000, ...facts })
  const payload = rowsOf(structOf({ s: 'string' }), rows, {
    first: BigInt(first),
    partition: provenance.partition,
  })
  const [labelled] = outputsOf(partitionBy([]), [{ provenance, payload }])
  assert.ok(labelled !== undefined)
  return labelled
}

/** Returns the flushes of these batches as their ranges. */
function flushesOf(
  limits: Partial<FlushLimits>,
  batches: readonly Batch<PartitionedRows>[],
  parts: BufferOptions = {},
): Flush<unknown>[] {
  const out: Flush<unknown>[] = []
  of(...batches)
    .pipe(bufferTimeOrCount({ ...NEVER_FULL, ...limits }, parts))
    .subscribe((flush) => out.push(flush))
  return out
}
/** Returns a credit of which only these members do something. */
function creditOf(members: Partial<FlushCredit>): FlushCredit {
  return {
    shouldFlush: false,
    charge: () => undefined,
    give: () => undefined,
    flushOpened: () => undefined,
    flushSettled: () => undefined,
    registerFlush: () => () => undefined,
    ...members,
  }
}

const rangesOf = (flushes: readonly Flush<unknown>[]): string[][] =>
  flushes.map(({ ranges }) =>
    ranges.map(
      ({ partition, follows, first, last }) => `${partition}: ${follows ?? 'none'} ${first}-${last}`,
    ),
  )

test('A range has the id of its topic, if the batches have one', () => {
  const batches = [batch(0, 4, { topicId: 77n }), batch(4, 4, { topicId: 77n, follows: 3n })]
  const [flush] = flushesOf({}, batches)
  const { first, last, topicId } = flush?.ranges[0] ?? assert.fail()
  assert.deepEqual([first, last, topicId], [0n, 7n, 77n])
  assert.equal('topicId' in (flushesOf({}, [batch(0, 4)])[0]?.ranges[0] ?? assert.fail()), false)
})

test('A flush is formed as soon as the count is reached, and the rest when the source completes', () => {
  const flushes = flushesOf({ count: 10 }, [batch(0, 4), batch(4, 4), batch(8, 4), batch(12, 1)])
  assert.deepEqual(rangesOf(flushes), [['0: none 0-11'], ['0: 11 12-12']])
  assert.deepEqual(
    flushes.map(({ id, counts, bytes }) => [id, counts.records, counts.rows, bytes]),
    [
      [1, 12, 12, 3_000_000],
      [2, 1, 1, 1_000_000],
    ],
  )
})

test('A flush is formed at the bytes that its batches hold', () => {
  assert.deepEqual(rangesOf(flushesOf({ bytes: 2_000_000 }, [batch(0, 1), batch(1, 1), batch(2, 1)])), [
    ['0: none 0-1'],
    ['0: 1 2-2'],
  ])
})

test('Columns that are larger than the credit of their batch are charged, and count', () => {
  const charged: number[] = []
  const [flush] = flushesOf(
    { bytes: 40_000 },
    [batch(0, 1, { bytes: 10 }, 'x'.repeat(50_000)), batch(1, 1)],
    { credit: creditOf({ charge: (bytes) => void charged.push(bytes) }) },
  )
  assert.equal(charged.length, 1)
  assert.equal(flush?.bytes, 10 + (charged[0] ?? 0))
  assert.ok((charged[0] ?? 0) > 50_000)
})

/** Creates a batch with a row of each of these partitions. */
function partitioned(
  first: number,
  partitions: readonly string[],
  facts: Partial<Provenance> = {},
): Batch<PartitionedRows> {
  const records = partitions.length
  const provenance = provenanceOf({ first: BigInt(first), records, bytes: 1_000_000, ...facts })
  const rows = partitions.map((s) => ({ s }))
  const payload = rowsOf(structOf({ s: 'string' }), rows, { first: BigInt(first) })
  const [labelled] = outputsOf(partitionBy(['s']), [{ provenance, payload }])
  assert.ok(labelled !== undefined)
  return labelled
}

test('A flush is formed before it exceeds the allowed table partitions, not when it reaches them', () => {
  const flushes = flushesOf({ partitionsMax: 3 }, [
    partitioned(0, ['a', 'b']),
    partitioned(2, ['b', 'c']),
    partitioned(4, ['a', 'c', 'b']),
    partitioned(7, ['d']),
    partitioned(8, ['a', 'd']),
  ])
  assert.deepEqual(rangesOf(flushes), [['0: none 0-6'], ['0: 6 7-9']])
})

test('A batch of more table partitions than allowed is a flush of its own', () => {
  const flushes = flushesOf({ partitionsMax: 2 }, [
    partitioned(0, ['a']),
    partitioned(1, ['b', 'c', 'd']),
    partitioned(4, ['a']),
  ])
  assert.deepEqual(rangesOf(flushes), [['0: none 0-0'], ['0: 0 1-3'], ['0: 3 4-4']])
})

test('The table partitions of a dropped batch no longer count', () => {
  const flushes = flushesOf({ partitionsMax: 2 }, [
    partitioned(0, ['a', 'b']),
    partitioned(9, ['c', 'd'], { follows: 8n }),
  ])
  assert.deepEqual(rangesOf(flushes), [['0: 8 9-10']])
})

test('The values of a table partition are held once for all batches', () => {
  const flushes: Flush<readonly Chunk[]>[] = []
  of(partitioned(0, ['a', 'b']), partitioned(2, ['b', 'a']))
    .pipe(bufferTimeOrCount(NEVER_FULL))
    .subscribe((flush) => flushes.push(flush))
  const [one, two] = flushes[0]?.payload ?? []
  assert.deepEqual(
    [one?.partitions, two?.partitions],
    [
      [['a'], ['b']],
      [['b'], ['a']],
    ],
  )
  assert.equal(one?.partitions[0], two?.partitions[1])
})

test('Ranges join the batches of a partition, one range for each, and counts add up', () => {
  const batches = [
    batch(0, 2),
    batch(5, 1, { partition: 1, follows: undefined }),
    batch(2, 2),
    batch(6, 3, { partition: 1, last: 20n }),
  ]
  const [flush, ...others] = flushesOf({}, batches)
  assert.deepEqual(
    [rangesOf(flush === undefined ? [] : [flush]), others],
    [[['0: none 0-3', '1: none 5-20']], []],
  )
  assert.deepEqual(flush?.counts, { records: 8, rows: 8, deadLetters: 0, tombstones: 0, filtered: 0 })
  assert.ok((flush.newestMs ?? 0) > 0)
})

test('A Kafka timestamp beyond the year 9999 is not the newest of a flush', () => {
  const [good, freak] = [batch(0, 1), batch(1, 1)]
  for (const ms of [1e17, 253_402_300_800_000]) {
    const { rows } = freak.payload
    const raw = { ...rows.raw, timestampsMs: Float64Array.of(ms) }
    const batches = [good, { ...freak, payload: { ...freak.payload, rows: { ...rows, raw } } }]
    const newest = Math.max(...good.payload.rows.raw.timestampsMs)
    assert.equal(flushesOf({}, batches)[0]?.newestMs, newest)
  }
})

test('Timestamps from the future are not the newest of a flush but reported beside it, and none is no time', () => {
  const [past, other] = [batch(0, 1), batch(1, 1)]
  const timed = (ms: number): typeof other => {
    const { rows } = other.payload
    const raw = { ...rows.raw, timestampsMs: Float64Array.of(ms) }
    return { ...other, payload: { ...other.payload, rows: { ...rows, raw } } }
  }
  const newest = Math.max(...past.payload.rows.raw.timestampsMs)
  const futureMs = Date.now() + 3_600_000
  const [flush] = flushesOf({}, [past, timed(futureMs)])
  assert.deepEqual([flush?.newestMs, flush?.futureMs], [newest, futureMs])
  const [skewed] = flushesOf({}, [past, timed(futureMs - 3_595_000)])
  assert.deepEqual([skewed?.newestMs, skewed?.futureMs], [futureMs - 3_595_000, undefined])
  const [bare] = flushesOf(
    {},
    [timed(-1)].map((one) => ({ ...one, provenance: past.provenance })),
  )
  assert.deepEqual([bare?.newestMs, bare?.futureMs], [undefined, undefined])
})

test('The age is measured from the first batch, and an empty buffer never flushes', () => {
  const a = batch(0, 1)
  const b = batch(1, 1)
  const c = batch(2, 1)
  marbles(({ hot, expectObservable }) => {
    const flushed = hot('-a-b--------------c-------|', { a, b, c }).pipe(
      bufferTimeOrCount({ ...NEVER_FULL, ageMs: 5 }),
    )
    // From frames 1 to 6, and from 18 to 23.
    const lasts = new Subject<bigint | undefined>()
    flushed.subscribe({
      next: (flush) => lasts.next(flush.ranges[0]?.last),
      complete: () => lasts.complete(),
    })
    expectObservable(lasts).toBe('------x----------------y--|', { x: 1n, y: 2n })
  })
})

test('A flush by count restarts the age', () => {
  marbles(({ hot, expectObservable }) => {
    const lasts = new Subject<bigint | undefined>()
    hot('-a--b-c-------|', { a: batch(0, 1), b: batch(1, 1), c: batch(2, 1) })
      .pipe(bufferTimeOrCount({ ...NEVER_FULL, count: 2, ageMs: 5 }))
      .subscribe({ next: (flush) => lasts.next(flush.ranges[0]?.last), complete: () => lasts.complete() })
    expectObservable(lasts).toBe('----x------y--|', { x: 1n, y: 2n })
  })
})

test('Completion flushes the buffer, an error does not, and nothing is emitted after unsubscription', () => {
  marbles(({ hot, expectObservable }) => {
    const operator = bufferTimeOrCount({ ...NEVER_FULL, ageMs: 50 })
    const ends: string[] = []
    hot('-a-|', { a: batch(0, 1) })
      .pipe(operator)
      .subscribe(() => ends.push('flushed'))
    hot<Batch<PartitionedRows>>('-a-#', { a: batch(0, 1) })
      .pipe(operator)
      .subscribe({ next: () => ends.push('never'), error: (error: unknown) => ends.push(String(error)) })
    expectObservable(hot('-a------', { a: batch(0, 1) }).pipe(operator), '^--!').toBe('-')
    hot('------------x').subscribe(() => assert.deepEqual(ends, ['flushed', 'error']))
  })
})

test('A batch that does not follow the buffered ones replaces those of its partition and gives their credit back', () => {
  const dropped: number[] = []
  const other = batch(0, 1, { partition: 1 })
  const flushes = flushesOf({}, [batch(0, 2), other, batch(2, 2), batch(40, 1, { follows: 39n })], {
    credit: creditOf({ give: (bytes) => void dropped.push(bytes) }),
  })
  assert.deepEqual(rangesOf(flushes), [['1: none 0-0', '0: 39 40-40']])
  assert.deepEqual([dropped, flushes[0]?.bytes, flushes[0]?.counts.records], [[2_000_000], 2_000_000, 2])
})

test('A gap in the offsets within the chain of batches drops nothing', () => {
  const flushes = flushesOf({}, [batch(0, 2, { last: 9n }), batch(15, 1, { follows: 9n, last: 15n })])
  assert.deepEqual(rangesOf(flushes), [['0: none 0-15']])
})

test('Batches without records carry their offsets into the table', () => {
  const flushes = flushesOf({}, [batch(7, 0, { last: 9n })])
  assert.deepEqual([rangesOf(flushes), flushes[0]?.counts.records], [[['0: 6 7-9']], 0])
})

test('Every flush is reported before it is emitted, and opens its trace with its contents', () => {
  const told: string[] = []
  const trace = { context: {} as never, end: () => undefined }
  const [flush] = flushesOf({}, [batch(0, 2), batch(2, 1)], {
    credit: creditOf({ flushOpened: () => void told.push('flushed') }),
    openTrace: ({ id, provenances, counts, bytes }) => {
      told.push(`${id} ${provenances.length} ${counts.records} ${bytes}`)
      return trace
    },
  })
  assert.deepEqual(told.sort(), ['1 2 3 2000000', 'flushed'])
  assert.equal(flush?.trace, trace)
})

test('The buffer is flushed on request, and immediately while its bytes are needed', () => {
  const source = new Subject<Batch<PartitionedRows>>()
  const out: Flush<unknown>[] = []
  let form: () => void = () => undefined
  let isForgotten = false
  let isFlushRequested = false
  const credit: FlushCredit = {
    ...creditOf({}),
    registerFlush: (now) => {
      form = now
      return () => (isForgotten = true)
    },
    get shouldFlush() {
      return isFlushRequested
    },
  }
  source.pipe(bufferTimeOrCount(NEVER_FULL, { credit })).subscribe((flush) => out.push(flush))
  form()
  assert.deepEqual(rangesOf(out), [])
  source.next(batch(0, 4))
  form()
  assert.deepEqual(rangesOf(out), [['0: none 0-3']])
  isFlushRequested = true
  source.next(batch(4, 2))
  assert.deepEqual(rangesOf(out), [['0: none 0-3'], ['0: 3 4-5']])
  source.complete()
  assert.deepEqual([out.length, isForgotten], [2, true])
})
