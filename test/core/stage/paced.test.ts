import assert from 'node:assert/strict'
import { test } from 'node:test'
import { from, lastValueFrom, Subject, take, tap, toArray } from 'rxjs'
import { Pace, paced } from '../../../src/core/stage/paced.ts'
import { operatorContract } from '../../support/flow/operator-contract.ts'

operatorContract('paced', () => paced(new Pace(), () => 1))

/** Takes at least this many milliseconds. */
function work(ms: number): void {
  const startMs = performance.now()
  while (performance.now() - startMs < ms) continue
}

test('the event loop runs between values that take long, and they keep their order', async () => {
  let turn = 0
  const turns: number[] = []
  const tick = (): void => {
    turn++
    timer = setImmediate(tick)
  }
  let timer = setImmediate(tick)
  const values = await lastValueFrom(
    from([1, 2, 3, 4]).pipe(
      paced(new Pace(), () => 1),
      tap(() => {
        turns.push(turn)
        work(25)
      }),
      toArray(),
    ),
  )
  clearImmediate(timer)
  assert.deepEqual(values, [1, 2, 3, 4])
  assert.ok(new Set(turns).size === 4, `turns ${turns.join(', ')}`)
})

test('values that would not fit in the turn are emitted in later ones', async () => {
  const pace = new Pace()
  pace.note(1, 1000)
  const source = Array.from({ length: 20 }, (_, value) => value)
  const values = await lastValueFrom(
    from(source).pipe(
      paced(pace, () => 1),
      tap(() => work(0.1)),
      toArray(),
    ),
  )
  assert.deepEqual(values, source)
})

test('a value that comes from a value is emitted after it', () => {
  const source = new Subject<number>()
  const values: string[] = []
  source.pipe(paced(new Pace(), () => 1)).subscribe((value) => {
    values.push(`begin ${value}`)
    if (value === 1) source.next(2)
    values.push(`end ${value}`)
  })
  source.next(1)
  assert.deepEqual(values, ['begin 1', 'end 1', 'begin 2', 'end 2'])
})

test('no value is emitted after the reader has left', async () => {
  const values: number[] = []
  const source = new Subject<number>()
  const subscription = source.pipe(paced(new Pace(), () => 1)).subscribe((value) => {
    values.push(value)
    work(25)
  })
  source.next(1)
  source.next(2)
  subscription.unsubscribe()
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(values, [1])
})

test('the pace follows what values took', () => {
  const pace = new Pace()
  assert.equal(pace.bytesFor(20), undefined)
  pace.note(0, 5)
  assert.equal(pace.bytesFor(20), undefined, 'nothing is known of values without bytes')
  pace.note(1000, 10)
  assert.equal(pace.bytesFor(20), 2000)
  pace.note(1000, 20)
  const bytes = pace.bytesFor(20) ?? 0
  assert.ok(bytes < 2000 && bytes > 1000)
})

test('a subscriber that leaves while values wait leaves nothing that runs', async () => {
  const pace = new Pace()
  pace.note(1, 1000)
  const values = await lastValueFrom(
    from([1, 2, 3, 4]).pipe(
      paced(pace, () => 1),
      tap(() => work(2)),
      take(2),
      toArray(),
    ),
  )
  assert.deepEqual(values, [1, 2])
  const turns = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Immediate').length
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.equal(turns(), 0)
})
