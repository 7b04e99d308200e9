import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OperatorFunction, of, Subject } from 'rxjs'
import { marbles } from './marbles.ts'

/**
 * What every operator does with the ends of its source, whatever it does with values: empty completes, an error passes at
 * once, never stays silent, and who leaves early leaves the source too. `make` gives a fresh operator.
 */
export function operatorContract<A, B>(name: string, make: () => OperatorFunction<A, B>): void {
  test(`${name}: empty completes, an error passes on, never is silent, an early departure reaches the source`, () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      expectObservable(cold<A>('--|').pipe(make())).toBe('--|')
      expectObservable(cold<A>('--#').pipe(make())).toBe('--#')
      expectObservable(cold<A>('-').pipe(make())).toBe('-')
      const source = cold<A>('----|')
      expectObservable(source.pipe(make()), '^-!').toBe('---')
      expectSubscriptions(source.subscriptions).toBe('^-!')
    })
  })
}

/** What an operator that works synchronously makes of values; each must leave before the next comes. */
export function outputsOf<A, B>(operator: OperatorFunction<A, B>, inputs: readonly A[]): B[] {
  const source = new Subject<A>()
  const out: B[] = []
  let ended = false
  source.pipe(operator).subscribe({ next: (value) => out.push(value), complete: () => (ended = true) })
  for (const [index, input] of inputs.entries()) {
    source.next(input)
    assert.equal(out.length, index + 1, 'a synchronous result leaves at once')
  }
  source.complete()
  assert.equal(ended, true)
  return out
}

/** The error that a single value ends the stream with. */
export function errorOf<A, B>(operator: OperatorFunction<A, B>, input: A): unknown {
  let error: unknown
  of(input)
    .pipe(operator)
    .subscribe({ error: (thrown: unknown) => (error = thrown) })
  return error
}
