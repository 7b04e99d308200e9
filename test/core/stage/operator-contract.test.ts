import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bufferCount,
  catchError,
  concatMap,
  delay,
  EMPTY,
  filter,
  from,
  identity,
  ignoreElements,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  repeat,
  retry,
  Subject,
  take,
  takeUntil,
  tap,
  timer,
  toArray,
  throwError,
  concat,
  type OperatorFunction,
} from 'rxjs'
import type { Batch } from '../../../src/core/batch.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import {
  checkedOperator,
  noteBatchWaiting,
  type OperatorContractOptions,
} from '../../../src/core/stage/operator-contract.ts'
import { provenanceOf } from '../../support/flow/batches.ts'
import { marbles } from '../../support/flow/marbles.ts'
import { operatorContract } from '../../support/flow/operator-contract.ts'

type Numbers = OperatorFunction<Batch<number>, Batch<number>>

/** Returns four batches of ten records, the payload is their number. */
function fourBatches(): Batch<number>[] {
  return [0, 1, 2, 3].map((payload) => ({
    payload,
    provenance: provenanceOf({ first: BigInt(payload) * 10n, records: 10 }),
  }))
}

interface Outcome {
  readonly payloads: number[]
  readonly error?: unknown
}

/** Carries four batches through a checked operator; resolves when the stream has ended. */
function carry(
  operator: Numbers,
  options: OperatorContractOptions<number> = {},
  source: Observable<Batch<number>> = from(fourBatches()),
): Promise<Outcome> {
  return new Promise((resolve) => {
    const payloads: number[] = []
    source.pipe(checkedOperator('mine', operator, options)).subscribe({
      next: ({ payload }) => payloads.push(payload),
      error: (error: unknown) => resolve({ payloads, error }),
      complete: () => resolve({ payloads }),
    })
  })
}

async function assertRefused(operator: Numbers, rule: RegExp, options?: OperatorContractOptions<number>) {
  const { error } = await carry(operator, options)
  assert.ok(error instanceof PipelineError, String(error))
  assert.equal(error.code, 'KD_OPERATOR_INVALID')
  assert.match(error.message, /operator mine: /)
  assert.match(error.message, rule)
  assert.equal(error.retryable, false)
}

operatorContract('A checked operator that does nothing', () =>
  checkedOperator('identity', identity<Observable<Batch<number>>>),
)

test('Operators that keep the contract change nothing: synchronous, delayed, asynchronous in order', async () => {
  const double = map(({ provenance, payload }: Batch<number>) => ({ provenance, payload: payload * 2 }))
  const waits: readonly Numbers[] = [
    identity,
    delay(2),
    concatMap((batch) => timer(1).pipe(map(() => batch))),
  ]
  for (const wait of waits)
    assert.deepEqual(await carry((batches) => batches.pipe(wait, double)), { payloads: [0, 2, 4, 6] })
})

test('An equal provenance is accepted, and the one that went in goes on', async () => {
  const batches = fourBatches()
  const copied: Numbers = map((batch) => ({ ...batch, provenance: { ...batch.provenance, timings: [] } }))
  const out = await new Promise<Batch<number>[]>((resolve) => {
    from(batches).pipe(checkedOperator('copy', copied), toArray()).subscribe(resolve)
  })
  for (const [index, { provenance }] of out.entries()) assert.equal(provenance, batches[index]?.provenance)
})

test('A batch that is left out ends the stream when the next one comes, or when the source completes', async () => {
  await assertRefused(
    filter(({ payload }) => payload !== 1),
    /left out batch events\/0@10\.\.19 or changed the order/,
  )
  const last = await carry(filter(({ payload }) => payload < 2))
  assert.deepEqual(last.payloads, [0, 1])
  assert.match(
    String(last.error),
    /it left out 2 batches, the first of them batch events\/0@20\.\.29, that went in/,
  )
  await assertRefused(ignoreElements(), /it left out 4 batches/)
})

test('A batch that is split, joined, doubled or reordered ends the stream', async () => {
  const split: Numbers = concatMap(({ provenance, payload }) => [
    { payload, provenance: { ...provenance, last: provenance.first + 4n, records: 5 } },
    {
      payload,
      provenance: { ...provenance, follows: provenance.first + 4n, first: provenance.first + 5n, records: 5 },
    },
  ])
  await assertRefused(
    split,
    /it split batch events\/0@0\.\.9 or replaced its provenance: batch events\/0@0\.\.4/,
  )
  await assertRefused(
    concatMap((batch) => [batch, batch]),
    /it emitted batch events\/0@0\.\.9 twice/,
  )
  await assertRefused(
    concatMap(({ provenance, payload }) => [
      { payload, provenance },
      { payload, provenance: { ...provenance, first: provenance.last } },
    ]),
    /it split batch events\/0@0\.\.9: it emitted batch events\/0@9\.\.9 too/,
  )
  await assertRefused(
    (batches) =>
      batches.pipe(
        bufferCount(2),
        map(([a, b]) => {
          assert.ok(a !== undefined && b !== undefined)
          return { payload: a.payload, provenance: { ...a.provenance, last: b.provenance.last, records: 20 } }
        }),
      ),
    /it joined batch events\/0@0\.\.9 with others, into batch events\/0@0\.\.19/,
  )
  await assertRefused(
    mergeMap((batch) => timer(10 - 3 * batch.payload).pipe(map(() => batch))),
    /changed the order: batch events\/0@\d+\.\.\d+ went in later and came out first/,
  )
  await assertRefused(
    (batches) => merge(batches, of({ payload: 9, provenance: provenanceOf({ partition: 7 }) })),
    /it emitted batch events\/7@0\.\.0, which did not go in or came out before/,
  )
})

test('A provenance that is replaced ends the stream, each field of it', async () => {
  const changes = [
    { partition: 1 },
    { topic: 'other' },
    { first: 1n },
    { last: 100n },
    { follows: 5n },
    { records: 9 },
    { bytes: 1 },
    { topicId: 3n },
  ]
  for (const change of changes)
    await assertRefused(
      map(({ provenance, payload }) => ({ payload, provenance: { ...provenance, ...change } })),
      /provenance/,
    )
})

test('What is no batch is refused by name, above all promises, whose rejection is not unhandled', async () => {
  const asyncMap = map(() => Promise.reject(new Error('lost'))) as unknown as Numbers
  await assertRefused(asyncMap, /it emitted a promise instead of a batch/)
  const payload = map(({ provenance }: Batch<number>) => ({
    provenance,
    payload: Promise.reject(new Error('lost')),
  }))
  await assertRefused(payload as unknown as Numbers, /a batch with a promise as payload/)
  await assertRefused(map(() => undefined) as unknown as Numbers, /it emitted undefined instead of a batch/)
  await assertRefused(
    map(() => ({ payload: 1 })) as unknown as Numbers,
    /it emitted an object instead of a batch/,
  )
  await assertRefused(
    map(({ provenance }: Batch<number>) => ({ provenance, payload: null })) as unknown as Numbers,
    /a batch with null as payload/,
  )
  await assertRefused(
    (() => Promise.reject(new Error('lost'))) as unknown as Numbers,
    /it returned a promise instead of an observable/,
  )
  await assertRefused(
    (() => undefined) as unknown as Numbers,
    /it returned undefined instead of an observable/,
  )
  await new Promise((resolve) => setImmediate(resolve))
})

test('An operator that ends before its source, or reads it twice, ends the stream', async () => {
  await assertRefused(take(2), /it completed before its source/)
  const ended = await carry(takeUntil(timer(1)), {}, concat(from(fourBatches()), NEVER))
  assert.match(String(ended.error), /it completed before its source/)
  await assertRefused(() => EMPTY, /it completed before its source/)
  await assertRefused((batches) => merge(batches, batches), /more than once/)
  await assertRefused(repeat(2), /more than once/)
  const leaves: Numbers = (batches) =>
    new Observable((subscriber) => {
      const subscription = batches.pipe(delay(1)).subscribe(subscriber)
      subscription.unsubscribe()
    })
  const left = await carry(leaves, {}, concat(from(fourBatches()), NEVER))
  assert.match(String(left.error), /it unsubscribes from its source before the source has completed/)
})

test('What the operator throws is KD_OPERATOR_FAILED with the cause: applied, subscribed to, and at a batch', async () => {
  const cause = new TypeError('reading x of undefined')
  const raise = (): never => {
    throw cause
  }
  const throwing: Numbers[] = [
    raise,
    () => new Observable(raise),
    map(raise),
    concatMap(() => Promise.reject(cause)),
    () => throwError(() => cause),
  ]
  for (const operator of throwing) {
    const { error } = await carry(operator)
    assert.ok(error instanceof PipelineError)
    assert.equal(error.code, 'KD_OPERATOR_FAILED')
    assert.match(error.message, /operator mine: reading x of undefined/)
    assert.equal(error.cause, cause)
  }
  const { error: located } = await carry(map(raise))
  assert.match(String(located), /\(topic events, partition 0, first 0, last 9\)/)
})

test('A PipelineError of the operator passes through', async () => {
  const own = new PipelineError('KD_REGISTRY_FAILED', 'down')
  assert.equal((await carry(() => throwError(() => own))).error, own)
})

test('An error of the source passes through unchanged, also when the operator hides it', async () => {
  const failure = new Error('the source failed')
  const source = concat(
    from(fourBatches().slice(0, 1)),
    throwError(() => failure),
  )
  const hiding: Numbers[] = [
    identity,
    catchError(() => EMPTY),
    catchError(() => NEVER),
    catchError(() => throwError(() => new Error('another'))),
  ]
  for (const operator of hiding) assert.equal((await carry(operator, {}, source)).error, failure)
  const retried = await carry(retry(2), {}, source)
  assert.match(String(retried.error), /more than once/)
})

test('A fault of the payload ends the stream, also when it is thrown', async () => {
  await assertRefused(identity, /three is too many/, {
    faultOf: (n) => (n === 3 ? 'three is too many' : undefined),
  })
  const { error } = await carry(identity, {
    faultOf: () => {
      throw new Error('columns')
    },
  })
  assert.ok(error instanceof PipelineError && error.code === 'KD_OPERATOR_FAILED')
})

test('A batch that never comes out, a source that is never subscribed to and an end that never comes are limited', async () => {
  const heldMsMax = 20
  const live = concat(from(fourBatches()), NEVER)
  const holding = await carry(
    filter(() => false),
    { heldMsMax },
    live,
  )
  assert.match(String(holding.error), /it has held back batch events\/0@0\.\.9 for 0\.02 s/)
  await assertRefused(() => NEVER, /it has not subscribed to its source for 0\.02 s/, { heldMsMax })
  await assertRefused(
    (batches) => concat(batches, NEVER),
    /it has not completed for 0\.02 s after its source/,
    { heldMsMax },
  )
})

test('The limit begins when a batch goes in, and anew when its operator says that it waits for a server', () => {
  marbles(({ cold, expectObservable }) => {
    const source = (): Observable<Batch<number>> => {
      const [a, b] = fourBatches()
      assert.ok(a !== undefined && b !== undefined)
      return cold('a 5ms b 20ms |', { a, b })
    }
    const late = source().pipe(
      checkedOperator('late', delay(9), { heldMsMax: 10 }),
      map(({ payload }) => String(payload)),
    )
    expectObservable(late).toBe('9ms 0 5ms 1 11ms |')
    const tooLate = source().pipe(
      checkedOperator('late', delay(11), { heldMsMax: 10 }),
      catchError(() => of('refused')),
    )
    expectObservable(tooLate).toBe('10ms (r|)', { r: 'refused' })
    const waiting = source().pipe(
      checkedOperator(
        'waits',
        (batches) =>
          batches.pipe(
            tap(({ provenance }) => void timer(8).subscribe(() => noteBatchWaiting(provenance))),
            delay(16),
          ),
        { heldMsMax: 10 },
      ),
      map(({ payload }) => String(payload)),
    )
    expectObservable(waiting).toBe('16ms 0 5ms 1 4ms |')
  })
})

test('The end of the subscription reaches the source and stops the timer', async () => {
  const source = new Subject<Batch<number>>()
  const subscription = source
    .pipe(
      checkedOperator(
        'mine',
        filter(() => false),
        { heldMsMax: 5 },
      ),
    )
    .subscribe({
      error: (error: unknown) => assert.fail(String(error)),
    })
  source.next(fourBatches()[0] as Batch<number>)
  subscription.unsubscribe()
  assert.equal(source.observed, false)
  await new Promise((resolve) => setTimeout(resolve, 15))
})
