import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { from, lastValueFrom, toArray } from 'rxjs'
import { decode } from '../../operators/decode.ts'
import type { Raw } from '../../src/core/raw.ts'
import type { StructType } from '../../src/core/schema.ts'
import { encodeFile, type FileEncoder } from '../../src/delta/files/encode-file.ts'
import { plainContractOf } from '../../src/evolution/plain.ts'
import type { Decoded, FormatOptions } from '../../src/formats/format.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { openFormat } from '../../src/formats/open/open.ts'
import type { Threads } from '../../src/threads/threads.ts'
import { seededRandom } from '../../src/sample/random.ts'
import { arrayOf, columnsOf, provenanceOf, rawOf, structOf } from '../support/flow/batches.ts'
import { openTestThreads } from '../support/threads/open-threads.ts'
import { VALUES } from '../support/values/csv.ts'

const SCHEMA = structOf({
  id: 'long',
  name: 'string',
  at: 'timestamp',
  price: 'double',
  tags: arrayOf('string'),
  place: structOf({ city: 'string', zip: 'long' }),
})
const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)

const JSON_VALUES = { ...VALUES, format: 'json', framing: 'none', decompress: 'none' } as const

let threads: Threads
before(async () => {
  threads = await openTestThreads({ workers: 2, onFailure: (error) => assert.fail(String(error)) })
})
after(() => threads.close())

/** Returns numbers from 0 to 1. */
function randomOf(seed: number): () => number {
  const next = seededRandom(seed)
  return () => next() / 2 ** 32
}

/** Returns the records of a batch, of which some are unusual, broken, or no object. */
function randomRaw(random: () => number, count: number): Raw {
  const pick = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const texts = ['plain', 'with "quotes"', 'ünïcödé', '\ud83d\ude00', '', 'x'.repeat(300)]
  const valueOf = (i: number): string | Uint8Array | null => {
    const record: Record<string, unknown> = { id: i, name: pick(...texts), at: '2024-02-29T12:00:00.123Z' }
    if (random() < 0.5) record['price'] = pick(0, -0.5, 1e300, 12)
    if (random() < 0.5) record['tags'] = [pick(...texts), null].slice(0, pick(0, 1, 2))
    if (random() < 0.5)
      record['place'] = pick<unknown>({ city: pick(...texts) }, {}, { zip: 1, city: null }, null)
    if (random() < 0.05) record['unknown'] = pick<unknown>(null, 1, { deep: [1] })
    if (random() < 0.05) record['id'] = pick<unknown>('text', 1.5, 2 ** 60, null, [])
    const text = JSON.stringify(record)
    const kind = random()
    if (kind < 0.02) return null
    if (kind < 0.04) return pick('null', '', '[1]', '{', 'not json')
    if (kind < 0.06) return Buffer.from(text).subarray(0, Math.floor(random() * text.length))
    if (kind < 0.07) return Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])
    return text
  }
  return rawOf(
    Array.from({ length: count }, (_, i) => valueOf(i)),
    { first: BigInt(Math.floor(random() * 1e6)) },
  )
}

/** Returns what is compared of a decoded batch. */
function outcomeOf({ droppedPaths = [], slow = {}, ...rest }: Decoded): unknown {
  // Why a broken record is slow depends on the record that follows it.
  const slowRecords = Object.values(slow).reduce((sum, count) => sum + count, 0)
  return { ...rest, slowRecords, droppedPaths: droppedPaths.flatMap(({ paths }) => [...paths].sort()) }
}

test('threads give the rows, dead letters and counts of the main thread', async () => {
  const random = randomOf(SEED)
  for (const unknownFields of ['skip', 'count', 'leave'] as const) {
    const absentValues = new Map<string, () => unknown>([
      ['name', () => 'nobody'],
      ['price', () => 7],
    ])
    const options: FormatOptions = {
      schema: SCHEMA,
      plain: plainContractOf(SCHEMA, undefined),
      unknownFields,
      ...(unknownFields === 'count' ? { absentValues } : {}),
    }
    const threaded = await openFormat(JSON_VALUES, options, threads.columns)
    const alone = jsonFormat(options)
    for (let batch = 0; batch < 8; batch++) {
      const raw = randomRaw(random, 200 + Math.floor(random() * 400))
      const preparing = threaded.readAhead?.(raw)
      assert.ok(preparing instanceof Promise, `a thread is asked, seed ${SEED}`)
      await preparing
      assert.deepEqual(outcomeOf(threaded.decode(raw)), outcomeOf(alone.decode(raw)), `seed ${SEED}`)
    }
  }
})

test('batches leave in their order, and each once', async () => {
  const random = randomOf(SEED)
  const options: FormatOptions = { schema: SCHEMA, plain: plainContractOf(SCHEMA, undefined) }
  const batches = Array.from({ length: 40 }, (_, i) => {
    // Sizes differ, so that a later batch is read before an earlier one.
    const payload = randomRaw(random, i % 3 === 0 ? 2000 : 150)
    return { payload, provenance: provenanceOf({ first: BigInt(i), records: payload.count }) }
  })
  const read = async (threaded: boolean, aheadMax: number): Promise<readonly { payload: Decoded }[]> => {
    const format = await openFormat(JSON_VALUES, options, threaded ? threads.columns : undefined)
    return await lastValueFrom(from(batches).pipe(decode(format, { aheadMax }), toArray()))
  }
  const [inOrder, alone] = [await read(true, 7), await read(false, 1)]
  assert.equal(inOrder.length, batches.length)
  for (const [i, batch] of inOrder.entries()) {
    assert.equal(batch.payload.raw, batches[i]?.payload, `batch ${i}`)
    assert.deepEqual(outcomeOf(batch.payload), outcomeOf((alone[i] as (typeof alone)[number]).payload))
  }
})

test('columns that change before the turn of a batch make the main thread decode it', async () => {
  const raw = randomRaw(randomOf(1), 300)
  const narrow: FormatOptions = { schema: structOf({ id: 'long' }), plain: undefined }
  const now = (options: FormatOptions): FormatOptions => ({
    ...options,
    plain: plainContractOf(options.schema, undefined),
  })
  let current = now(narrow)
  const format = await openFormat(JSON_VALUES, { current: () => current }, threads.columns)
  await format.readAhead?.(raw)
  current = now({ ...narrow, schema: structOf({ id: 'long', name: 'string' }) })
  assert.deepEqual(outcomeOf(format.decode(raw)), outcomeOf(jsonFormat(current).decode(raw)))
})

async function bytesOf(
  encoder: FileEncoder,
  schema: StructType,
  rows: readonly (readonly Readonly<Record<string, unknown>>[])[],
): Promise<{ readonly bytes: Buffer; readonly statistics: unknown }> {
  const slices = async function* () {
    await Promise.resolve()
    for (const slice of rows) yield columnsOf(schema, slice)
  }
  const file = encoder(slices(), {
    schema,
    statisticsSchema: schema,
    indexedColumns: { first: 32, paths: [] },
    parquet: { compression: 'zstd', rowGroupRows: 1000, rowGroupBytes: 100_000 },
  })
  const pieces: Uint8Array[] = []
  for await (const piece of file.pieces) pieces.push(piece)
  return { bytes: Buffer.concat(pieces), statistics: file.statistics() }
}

test('threads make the same file, byte by byte, and the same statistics', async () => {
  const slices = Array.from({ length: 5 }, (_, slice) =>
    Array.from({ length: 700 }, (_, i) => ({
      id: slice * 700 + i,
      name: i % 7 === 0 ? null : `name ${i}`,
      at: '1969-12-31T23:59:59.999999Z',
      price: i / 3,
      tags: i % 2 === 0 ? ['a', null] : [],
      place: i % 3 === 0 ? null : { city: `city ${i % 11}`, zip: null },
    })),
  )
  const [own, theirs] = [
    await bytesOf(encodeFile, SCHEMA, slices),
    await bytesOf(threads.encoder, SCHEMA, slices),
  ]
  assert.deepEqual(theirs.statistics, own.statistics)
  assert.ok(own.bytes.equals(theirs.bytes))
})

test('an error of the rows ends the file, and the threads work on', async () => {
  const failing = async function* () {
    await Promise.resolve()
    yield columnsOf(SCHEMA, [{ id: 1 }])
    throw new Error('the rows are gone')
  }
  const { pieces } = threads.encoder(failing(), {
    schema: SCHEMA,
    statisticsSchema: SCHEMA,
    indexedColumns: { first: 32, paths: [] },
    parquet: { compression: 'none', rowGroupRows: 1000 },
  })
  const drain = async (): Promise<void> => {
    for await (const piece of pieces) assert.ok(piece.length > 0)
  }
  await assert.rejects(drain(), /the rows are gone/)
  const { statistics } = await bytesOf(threads.encoder, SCHEMA, [[{ id: 2 }]])
  assert.equal((statistics as { rows: number }).rows, 1)
})
