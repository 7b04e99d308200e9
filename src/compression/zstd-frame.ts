const MAGIC = 0xfd2fb528

/**
 * Returns the content size that the frame header declares, or `undefined` when it declares none. Throws when the
 * bytes are not a Zstandard frame.
 */
export function zstdContentSizeOf(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 6 || view.getUint32(0, true) !== MAGIC) throw new Error('expected a Zstandard frame')
  const descriptor = bytes[4] as number
  const single = (descriptor & 0x20) !== 0
  const flag = descriptor >> 6
  if (flag === 0 && !single) return undefined
  const at = 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number)
  const width = 1 << flag
  if (at + width > bytes.length) throw new Error('expected Zstandard, got truncated bytes')
  if (flag === 0) return bytes[at]
  if (flag === 1) return view.getUint16(at, true) + 256
  return flag === 2 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true))
}
