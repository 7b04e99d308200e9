/** Returns an array of `length` elements; `create` is called for an element when it is first read. */
export function lazyArray<T>(length: number, create: (index: number) => T): readonly (T | undefined)[] {
  const elements = new Array<T | undefined>(length).fill(undefined)
  const isCreated = new Uint8Array(length)
  return new Proxy(elements, {
    get(target, key, receiver) {
      const index = typeof key === 'string' ? Number(key) : -1
      // Undefined for all keys that are no index.
      if (isCreated[index] === 0) {
        isCreated[index] = 1
        target[index] = create(index)
      }
      return Reflect.get(target, key, receiver) as unknown
    },
  })
}
