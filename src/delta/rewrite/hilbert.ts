import { zOrderIndexOf } from './zorder.ts'

/**
 * Returns the index of a point on the Hilbert curve: consecutive points are neighbours, without the jumps of the
 * Z-order curve. Coordinates and `bits` are those of `zOrderIndexOf`. Implements Skilling's algorithm ("Programming the
 * Hilbert curve", 2004), which transforms the coordinates into the transposed bits of the index.
 */
export function hilbertIndexOf(coordinates: ArrayLike<number>, bits: number): number {
  const x = Int32Array.from(coordinates)
  const dimensions = x.length
  // In one dimension both curves are the same.
  if (dimensions < 2) return zOrderIndexOf(x, bits)
  const at = (index: number): number => x[index] as number
  const highest = 1 << (bits - 1)
  for (let bit = highest; bit > 1; bit >>= 1) {
    const below = bit - 1
    for (let index = 0; index < dimensions; index++) {
      if ((at(index) & bit) !== 0) x[0] = at(0) ^ below
      else {
        const swapped = (at(0) ^ at(index)) & below
        x[0] = at(0) ^ swapped
        x[index] = at(index) ^ swapped
      }
    }
  }
  for (let index = 1; index < dimensions; index++) x[index] = at(index) ^ at(index - 1)
  let turned = 0
  for (let bit = highest; bit > 1; bit >>= 1) if ((at(dimensions - 1) & bit) !== 0) turned ^= bit - 1
  for (let index = 0; index < dimensions; index++) x[index] = at(index) ^ turned
  return zOrderIndexOf(x, bits)
}
