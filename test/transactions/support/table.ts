import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { decodePath } from '../../../src/delta/protocol/paths.ts'
import { readArrowTables } from '../../../src/parquet/reader.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { bodyChecksum } from './lines.ts'

interface Row {
  readonly _kafka_partition: number
  readonly _kafka_offset: bigint
  readonly _kafka_timestamp: number
  readonly _kafka_key: string | null
  readonly value: Uint8Array | null
}

/**
 * The rows of a table with Kafka's columns and a binary `value`, as `offset timestamp checksum-of-key-and-value` by
 * partition and in the order of their offsets. A record that is there twice gives two lines.
 */
export async function linesOfTable(uri: string, partitions: number): Promise<string[][]> {
  const store = await openStore(uri, {})
  const found: { readonly offset: bigint; readonly line: string }[][] = Array.from(
    { length: partitions },
    () => [],
  )
  for await (const { path } of (await loadSnapshot(store)).files())
    for (const table of readArrowTables(path, await store.get(decodePath(path))))
      for (const row of table as unknown as Iterable<Row>) {
        const body = bodyChecksum(keyOfText(row._kafka_key), row.value ?? undefined)
        const line = `${row._kafka_offset} ${row._kafka_timestamp} ${body}`
        found[row._kafka_partition]?.push({ offset: row._kafka_offset, line })
      }
  return found.map((rows) => rows.sort((a, b) => Number(a.offset - b.offset)).map(({ line }) => line))
}

function keyOfText(text: string | null): Uint8Array | undefined {
  if (text === null) return undefined
  return text.startsWith('base64:')
    ? Buffer.from(text.slice('base64:'.length), 'base64')
    : Buffer.from(text, 'utf8')
}

/** The offsets of a partition in a table with Kafka's columns; ascending. */
export async function offsetsOfTable(uri: string, partition: number): Promise<number[]> {
  const lines = await linesOfTable(uri, partition + 1)
  return (lines[partition] ?? []).map((line) => Number(line.slice(0, line.indexOf(' '))))
}
