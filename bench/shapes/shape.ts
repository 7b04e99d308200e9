import type { CodecName } from '../../src/compression/compression.ts'
import { ByteSink } from '../../src/kafka/produce/byte-sink.ts'
import type { OutgoingRecord } from '../../src/kafka/produce/record-batch.ts'
import { findPackageFile } from '../../src/cli/package-file.ts'

/** Describes one kind of topic that is measured: its records and how they are ingested. */
export interface Shape {
  readonly name: string
  /** What it shows, for the table of results. */
  readonly title: string
  /** Makes the records; the same number gives the same records. A record is valid until the next one is made. */
  readonly records: (count: number) => Iterable<OutgoingRecord>
  /** JSON Schema of the contract; none when absent. */
  readonly contract?: object
  /** Options of the topic; `file:NAME` stands for the path of one of `files`. */
  readonly topic?: Readonly<Record<string, unknown>>
  /** Texts of files by name. */
  readonly files?: Readonly<Record<string, string>>
  /** Schemas by their id in the registry. */
  readonly registry?: Readonly<Record<number, object>>
  readonly compression?: CodecName
  /** Columns of a table that exists before, as a contract; the table is created when absent. */
  readonly existingTable?: { readonly contract: object; readonly partitionColumns: readonly string[] }
  /** Transforms of `kafka-delta ingest`, which then reads the topic instead of `run`. */
  readonly ingestTransforms?: readonly string[]
}

/** Returns the path of a contract of the package, as text of a topic's option. */
export function contractFile(name: string): string {
  return findPackageFile(`schemas/${name}.schema.json`)
}

/** Generates records with the values that `write` writes for each number; keys are the number. */
export function* numbered(
  count: number,
  write: (sink: ByteSink, number: number) => void,
): Generator<OutgoingRecord> {
  const record = { key: new ByteSink(32), value: new ByteSink(4_096) }
  for (let number = 0; number < count; number++) {
    record.key.clear()
    record.key.digits(number)
    record.value.clear()
    write(record.value, number)
    yield record
  }
}

/** Spreads a number over 32 bits, so that neighbours have different values. */
export function scattered(number: number): number {
  const mixed = Math.imul(number ^ (number >>> 16), 0x45d9f3b)
  return (Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b) ^ (mixed >>> 13)) >>> 0
}

/** Returns a timestamp that grows with the number, in milliseconds since the epoch. */
export function timeOf(number: number): number {
  return 1_772_323_200_000 + number * 17
}

/** Returns a unique id in the form of a UUID. */
export function idOf(number: number): string {
  const hex = scattered(number).toString(16).padStart(8, '0')
  return `${hex}-${hex.slice(0, 4)}-4${hex.slice(1, 4)}-8${hex.slice(5, 8)}-${number.toString(16).padStart(12, '0')}`
}
