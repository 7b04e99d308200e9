/**
 * Provides a value that changes while a stream runs, such as the columns of a table that other writers change. The value
 * itself is immutable: a change gives a new object, so that its identity is its version.
 */
export interface Changing<T extends object> {
  /** Returns the value as of now: the same object as long as nothing has changed. It is called once per batch. */
  current(): T
}

/** Returns the value as of now of something that may change; a value that never changes is returned itself. */
export function currentOf<T extends object>(value: T | Changing<T>): T {
  return 'current' in value ? value.current() : value
}

/** Returns the value that `derive` makes of a changing value. It is made once for each value. */
export function derived<A extends object, B extends object>(
  changing: Changing<A>,
  derive: (value: A) => B,
): Changing<B> {
  let latest: { readonly of: A; readonly value: B } | undefined
  return {
    current() {
      const of = changing.current()
      if (latest?.of !== of) latest = { of, value: derive(of) }
      return latest.value
    },
  }
}
