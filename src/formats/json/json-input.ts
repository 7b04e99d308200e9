/** Returns the position of the value at `start`: after a byte order mark, which some producers write before UTF-8 text. */
export function afterBom(bytes: Uint8Array, start: number, end: number): number {
  const isBom =
    end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
  return isBom ? start + 3 : start
}

/** Returns text or bytes in UTF-8 without the byte order mark that may precede them. */
export function withoutBom<T extends string | Uint8Array>(value: T): T {
  const part =
    typeof value === 'string'
      ? value.slice(value.startsWith('\ufeff') ? 1 : 0)
      : value.subarray(afterBom(value, 0, value.length))
  return part as T
}
