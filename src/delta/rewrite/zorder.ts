/**
 * The place of a point on the Z-order curve: the bits of its coordinates interleaved, the highest of the first one first.
 * Coordinates are whole numbers from 0 and below 2^bits; the product of their number and `bits` is 53 at most, so that the
 * place is exact.
 */
export function zOrder(coordinates: ArrayLike<number>, bits: number): number {
  let place = 0
  for (let bit = bits - 1; bit >= 0; bit--)
    for (let at = 0; at < coordinates.length; at++)
      place = place * 2 + (((coordinates[at] as number) >>> bit) & 1)
  return place
}
