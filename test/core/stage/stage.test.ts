import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY, NEVER, of, range, Subject, take, tap, throwError, toArray } from 'rxjs'
import { batchStage, stage } from '../../../src/core/stage/stage.ts'
import type { Batch } from '../../../src/core/batch.ts'
import { provenanceOf } from '../../support/flow/batches.ts'
import { marbles } from '../../support/flow/marbles.ts'

/** Simulates work that ends when the test says so. */
class Work<A> {
  readonly started: A[] = []
  readonly #settle = new Map<A, { resolve: (value: string) => void; reject: (error: Error) => void }>()
  readonly run = (input: A): Promise<string> => {
    this.started.push(input)
    return new Promise((resolve, reject) => this.#settle.set(input, { resolve, reject }))
  }
  async done(input: A, error?: Error): Promise<void> {
    if (error === undefined) this.#settle.get(input)?.resolve(`did ${String(input)}`)
    else this.#settle.get(input)?.reject(error)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Returns the notifications of a stream so far. */
function seen<T>(): {
  values: T[]
  ends: unknown[]
  observer: { next: (value: T) => void; error: (error: unknown) => void; complete: () => void }
} {
  const values: T[] = []
  const ends: unknown[] = []
  const observer = {
    next: (value: T) => void values.push(value),
    error: (error: unknown) => void ends.push(error),
    complete: () => void ends.push('complete'),
  }
  return { values, ends, observer }
}

test('A synchronous stage passes on empty, single, many, failing and never-ending sources with their timing', () => {
  const upper = stage((text: string) => text.toUpperCase())
  marbles(({ cold, expectObservable, expectSubscriptions }) => {
    expectObservable(cold('|').pipe(upper)).toBe('|')
    expectObservable(cold('-a|').pipe(upper)).toBe('-A|')
    expectObservable(cold('-a-(bc)-d--|').pipe(upper)).toBe('-A-(BC)-D--|')
    expectObservable(cold('-a-#').pipe(upper)).toBe('-A-#')
    expectObservable(NEVER.pipe(upper)).toBe('-')
    const source = cold('-a-b-c-')
    expectObservable(source.pipe(upper), '^---!').toBe('-A-B')
    expectSubscriptions(source.subscriptions).toBe('^---!')
  })
})

test('A callback that throws ends the stream immediately and unsubscribes from the source', () => {
  const failing = stage((text: string) => {
    if (text === 'b') throw new Error('no b')
    return text
  })
  marbles(({ cold, expectObservable, expectSubscriptions }) => {
    const source = cold('-a-b-c-|')
    expectObservable(source.pipe(failing)).toBe('-a-#', undefined, new Error('no b'))
    expectSubscriptions(source.subscriptions).toBe('^--!')
  })
})

test('An undefined result is not emitted', () => {
  const { values, ends, observer } = seen<number>()
  of(1, 2, 3, 4)
    .pipe(stage((n: number) => (n % 2 === 0 ? n : undefined)))
    .subscribe(observer)
  assert.deepEqual([values, ends], [[2, 4], ['complete']])
})

test('No more than the limit are processed at once, and results are emitted in the order of the inputs', async () => {
  const source = new Subject<number>()
  const work = new Work<number>()
  const { values, ends, observer } = seen<string>()
  source.pipe(stage(work.run, { concurrency: 2 })).subscribe(observer)
  for (const n of [1, 2, 3, 4]) source.next(n)
  source.complete()
  assert.deepEqual(work.started, [1, 2])
  await work.done(2)
  assert.deepEqual([work.started, values], [[1, 2], []], 'what is done but not yet out counts as well')
  await work.done(1)
  assert.deepEqual(
    [work.started, values],
    [
      [1, 2, 3, 4],
      ['did 1', 'did 2'],
    ],
  )
  await work.done(3)
  assert.deepEqual(ends, [])
  await work.done(4)
  assert.deepEqual([values.at(-1), ends], ['did 4', ['complete']])
})

test('The default concurrency is one', async () => {
  const work = new Work<number>()
  of(1, 2).pipe(stage(work.run)).subscribe()
  assert.deepEqual(work.started, [1])
  await work.done(1)
  assert.deepEqual(work.started, [1, 2])
})

test('After an error of the callback no waiting input is started', async () => {
  const work = new Work<number>()
  const { ends, observer } = seen<string>()
  of(1, 2, 3)
    .pipe(stage(work.run, { concurrency: 1 }))
    .subscribe(observer)
  const error = new Error('broken')
  await work.done(1, error)
  assert.deepEqual([work.started, ends], [[1], [error]])
})

test('After an error of the source nothing more is started or emitted', async () => {
  const work = new Work<number>()
  const source = new Subject<number>()
  const { values, ends, observer } = seen<string>()
  source.pipe(stage(work.run)).subscribe(observer)
  source.next(1)
  source.next(2)
  source.error('gone')
  await work.done(1)
  assert.deepEqual([work.started, values, ends], [[1], [], ['gone']])
})

test('After unsubscription nothing more is started', async () => {
  const work = new Work<number>()
  const subscription = of(1, 2).pipe(stage(work.run)).subscribe()
  subscription.unsubscribe()
  await work.done(1)
  assert.deepEqual(work.started, [1])
})

test('A source that emits while it is subscribed to ends when the subscription does', () => {
  let emitted = 0
  const { values, observer } = seen<number>()
  range(1, 1_000)
    .pipe(
      tap(() => emitted++),
      stage((n: number) => n),
      take(2),
    )
    .subscribe(observer)
  assert.deepEqual([values, emitted], [[1, 2], 2])
})

test('A source that emits while it is subscribed to ends when the callback throws', () => {
  let emitted = 0
  const { ends, observer } = seen<number>()
  const error = new Error('no 3')
  range(1, 1_000)
    .pipe(
      tap(() => emitted++),
      stage((n: number) => {
        if (n === 3) throw error
        return n
      }),
    )
    .subscribe(observer)
  assert.deepEqual([ends, emitted], [[error], 3])
})

test('A batch keeps its provenance and records the duration of the stage', () => {
  const batch: Batch<string> = { provenance: provenanceOf(), payload: 'abc' }
  const out: Batch<number>[] = []
  of(batch)
    .pipe(batchStage('count', (text, whole) => (whole === batch ? text.length : -1)))
    .subscribe((next) => out.push(next))
  assert.equal(out[0]?.provenance, batch.provenance)
  assert.equal(out[0].payload, 3)
  const [timing] = batch.provenance.timings
  assert.ok(timing?.stage === 'count' && timing.endMs >= timing.startMs)
})

test('Completion and error of a source without values are passed on immediately', () => {
  const { values, ends, observer } = seen<number[]>()
  EMPTY.pipe(
    stage((n: number) => n),
    toArray(),
  ).subscribe(observer)
  throwError(() => 'bad')
    .pipe(
      stage((n: number) => n),
      toArray(),
    )
    .subscribe(observer)
  assert.deepEqual([values, ends], [[[]], ['complete', 'bad']])
})
