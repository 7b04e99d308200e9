/**
 * Returns the index of a point on the Z-order curve: the bits of its coordinates interleaved, starting with the highest
 * bit of the first one. Coordinates are whole numbers from 0 and below 2^bits; their number times `bits` is at most 53,
 * so that the index is exact.
 */
export function zOrderIndexOf(coordinates: ArrayLike<number>, bits: number): number {
  let index = 0
  for (let bit = bits - 1; bit >= 0; bit--)
    for (let at = 0; at < coordinates.length; at++)
      index = index * 2 + (((coordinates[at] as number) >>> bit) & 1)
  return index
}
