type Both<T> = (value: T) => T

/** Is true for types that each fit the other; `any`, which fits everything, is only itself. */
type Same<A, B> = IsAny<A> extends IsAny<B> ? (Both<A> extends Both<B> ? true : false) : false
type IsAny<T> = 0 extends 1 & T ? true : false

/** Refuses a value that is not exactly of the type `Expected`. */
export function expectType<Expected>(): <Actual>(
  value: Actual,
  ...no: Same<Actual, Expected> extends true ? [] : [never]
) => void {
  return () => undefined
}
