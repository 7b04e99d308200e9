import { crc32 } from '@node-rs/crc32'
import { keyOf, valueOf, type Raw } from '../../../src/core/raw.ts'

/** The records of a batch as `offset timestamp checksum-of-key-and-value checksum-of-headers`. */
export function linesOf(raw: Raw): string[] {
  return Array.from(raw.offsets, (offset, i) => {
    let headers = 0
    for (const [name, value] of Object.entries(raw.headers?.[i] ?? {})) {
      headers = add(headers, Buffer.from(name))
      headers = add(headers, value instanceof Uint8Array ? value : undefined)
    }
    const body = bodyChecksum(keyOf(raw, i), valueOf(raw, i))
    return `${offset} ${raw.timestampsMs[i]} ${body} ${headers.toString(16)}`
  })
}

/** A line without the checksum of the headers, which are no column of a table. */
export function withoutHeaders(line: string): string {
  return line.slice(0, line.lastIndexOf(' '))
}

/** The checksum of a record's key and value, in which null and empty differ. */
export function bodyChecksum(key: Uint8Array | undefined, value: Uint8Array | undefined): string {
  return add(add(0, key), value).toString(16)
}

function add(sum: number, part: Uint8Array | undefined): number {
  const marked = crc32(Buffer.from([part === undefined ? 1 : 0]), sum)
  return part === undefined ? marked : crc32(part, marked)
}
