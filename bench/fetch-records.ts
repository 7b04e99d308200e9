/*
 * `npx tsx bench/fetch-records.ts [runs]`: CPU that a record takes to come out of a fetch response, by this project's
 * reader and by the decoder of kafkajs, on the same bytes, by turns in one process. A response holds one partition with
 * batches of 16 KiB, as producers make them by default, or of 512 KiB; user events of about 230 bytes with a key. Ours also
 * checks each batch's checksum, which kafkajs leaves out; its own consumer adds the filter and its records' objects.
 */
import { createRequire } from 'node:module'
import type { CodecName } from '../src/compression/compression.ts'
import { registerCodecs } from '../src/kafka/client/codecs.ts'
import { openRecordCodecs } from '../src/kafka/records/record-codecs.ts'
import { readRecords } from '../src/kafka/records/read-records.ts'
import { generateUserEvents } from '../src/sample/user-events.ts'
import { median } from './programs.ts'

interface EncodedRecord {
  readonly size: number
}
interface Kafkajs {
  readonly record: (record: object) => EncodedRecord
  readonly batch: (batch: object) => Promise<{ readonly buffer: Buffer }>
  readonly decoder: new (bytes: Buffer) => object
  readonly decodeMessages: (decoder: object) => Promise<readonly unknown[]>
}

const RUNS = Number(process.argv[2] ?? 15)
const RUNS_BEFORE = 4
const RECORDS = 20_000
/** Responses that are read in one run. */
const READS = 10
const CODECS = [undefined, 'gzip', 'snappy', 'lz4', 'zstd'] as const
const NUMBERS: Readonly<Record<CodecName, number>> = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

const require = createRequire(import.meta.url)
const kafkajs: Kafkajs = {
  record: require('kafkajs/src/protocol/recordBatch/record/v0') as Kafkajs['record'],
  batch: (require('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch: Kafkajs['batch'] }).RecordBatch,
  decoder: require('kafkajs/src/protocol/decoder') as Kafkajs['decoder'],
  decodeMessages:
    require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages') as Kafkajs['decodeMessages'],
}

registerCodecs((await import('kafkajs')).default.CompressionCodecs)
const codecs = await openRecordCodecs()
const events = [...generateUserEvents({ count: RECORDS, seed: 1 })]
console.log(`${RECORDS} records a response, ${RUNS} runs; node ${process.version}; CPU µs a record`)
for (const batchRecords of [64, 2_000]) for (const codec of CODECS) await compare(batchRecords, codec)

async function compare(batchRecords: number, codec: CodecName | undefined): Promise<void> {
  const records = await encode(batchRecords, codec)
  const length = Buffer.alloc(4)
  length.writeInt32BE(records.length)
  const framed = Buffer.concat([length, records])
  const micros: [number[], number[]] = [[], []]
  for (let run = -RUNS_BEFORE; run < RUNS; run++) {
    const ours = await microsOf(() => Promise.resolve(readOurs(records)))
    const theirs = await microsOf(
      async () => (await kafkajs.decodeMessages(new kafkajs.decoder(framed))).length,
    )
    if (run < 0) continue
    micros[0].push(ours)
    micros[1].push(theirs)
  }
  const [ours, theirs] = micros.map(median) as [number, number]
  console.log(
    `${String(batchRecords).padStart(5)} a batch, ${(codec ?? 'plain').padEnd(6)} ours ${ours.toFixed(3)}   kafkajs ${theirs.toFixed(3)}   ratio 1/${(theirs / ours).toFixed(1)}`,
  )
}

async function microsOf(read: () => Promise<number>): Promise<number> {
  const before = process.cpuUsage()
  let count = 0
  for (let times = 0; times < READS; times++) count += await read()
  const { user, system } = process.cpuUsage(before)
  if (count !== READS * RECORDS) throw new Error(`expected ${READS * RECORDS} records, got ${count}`)
  return (user + system) / count
}

function readOurs(records: Buffer): number {
  let count = 0
  for (const { raw } of readRecords({
    topic: 'events',
    partition: 0,
    // Reading writes over the response.
    records: Buffer.from(records),
    from: 0n,
    isolation: 'read_committed',
    lastStableOffset: -1n,
    codecs,
  }))
    count += raw.count
  return count
}

async function encode(batchRecords: number, codec: CodecName | undefined): Promise<Buffer> {
  const batches: Buffer[] = []
  for (let first = 0; first < RECORDS; first += batchRecords) {
    const timestamp = 1_772_323_200_000 + first
    const records = events.slice(first, first + batchRecords).map((event, offsetDelta) =>
      kafkajs.record({
        offsetDelta,
        timestampDelta: offsetDelta,
        key: event.key,
        value: Buffer.from(event.value),
        headers: {},
      }),
    )
    const { buffer } = await kafkajs.batch({
      compression: codec === undefined ? 0 : NUMBERS[codec],
      firstOffset: first,
      firstTimestamp: timestamp,
      maxTimestamp: timestamp + records.length,
      lastOffsetDelta: records.length - 1,
      records,
    })
    batches.push(buffer)
  }
  return Buffer.concat(batches)
}
