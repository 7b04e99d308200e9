import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Contract } from '../../src/contract/contract.ts'
import type { Rows } from '../../src/arrow/rows.ts'
import { messageCountsOf } from '../../src/core/raw.ts'
import type { Format } from '../../src/formats/format.ts'
import { rawOf } from '../support/flow/batches.ts'
import { decodedRows, outcomesOf, outcomesOfRows } from '../support/flow/outcomes.ts'

/** How the suite gets at one format. */
export interface FormatUnderTest {
  readonly name: string
  readonly open: () => Format
  /** What its records must be. */
  readonly contract: Contract
  /** Messages that are rows, with the row, or with the rows where a message holds several. */
  readonly good: readonly (
    | { readonly bytes: Uint8Array; readonly row: Row }
    | { readonly bytes: Uint8Array; readonly rows: readonly Row[] }
  )[]
  /** Messages that are none, by the bytes or by the contract: one dead letter each. */
  readonly bad: readonly Uint8Array[]
}

type Row = Readonly<Record<string, unknown>>

/** What no producer means, whatever the format. */
const STRANGE: readonly Uint8Array[] = [
  '',
  ' ',
  '\0',
  '\n\n',
  '\uFEFF',
  '{',
  '{}',
  '[]',
  '\0\0\0\0\x01',
  'Obj\x01',
  '{"a":'.repeat(10_000),
  '['.repeat(1 << 20),
  'a'.repeat(1 << 20),
  ','.repeat(1 << 20),
  '{}\n'.repeat(10_000),
  '"'.repeat(1 << 16),
].map((text) => Buffer.from(text))
const STRANGE_BYTES: readonly Uint8Array[] = [
  Buffer.from('c301', 'hex'),
  Buffer.alloc(1 << 20),
  Buffer.alloc(1 << 20, 0xff),
  Buffer.alloc(1 << 16, 0x80),
  Buffer.from('ffffffffffffffffff01', 'hex'),
  Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + 13) & 0xff),
]

/** What every format must do; run it from the format's own test file. */
export function formatContract(subject: FormatUnderTest): void {
  const { contract, good, bad } = subject
  const outcomes = (values: readonly (Uint8Array | null)[]) =>
    outcomesOf(subject.open(), contract, rawOf(values))
  const rowsOf = (each: (typeof good)[number]) => ('row' in each ? [each.row] : each.rows)
  const expected = (each: (typeof good)[number]) => rowsOf(each).map((row) => ({ row }))
  /** Rows, dead letters, tombstones and messages without a record are all messages, and all records beyond one in each. */
  const conserved = (values: readonly (Uint8Array | null)[]): Rows => {
    const rows = decodedRows(subject.open(), contract, rawOf(values))
    const { messages, expanded, empty } = messageCountsOf(rows.raw)
    assert.equal(messages, values.length)
    assert.equal(
      messages + expanded,
      rows.columns.length + rows.deadLetters.length + rows.tombstones + rows.filtered + empty,
    )
    assert.equal(outcomesOfRows(rows).length, rows.raw.count)
    assert.ok(
      rows.records.every((record, i) => i === 0 || record > (rows.records[i - 1] as number)),
      'rows are in the order of their records',
    )
    return rows
  }
  describe(`${subject.name} keeps the contract of a format`, () => {
    test('Every good record is its row, alone and among others', () => {
      for (const each of good) assert.deepEqual(outcomes([each.bytes]), expected(each))
      assert.deepEqual(outcomes(good.map(({ bytes }) => bytes)), good.flatMap(expected))
    })

    test('Every bad record is one dead letter with a reason, and disturbs no neighbour', () => {
      const neighbour = good.slice(0, 1)
      const between = neighbour.flatMap(expected)
      const values = bad.flatMap((bytes) => [bytes, ...neighbour.map((each) => each.bytes)])
      const found = outcomes(values)
      assert.equal(found.length, bad.length * (1 + between.length))
      for (const [index, outcome] of found.entries()) {
        const place = index % (1 + between.length)
        if (place > 0) assert.deepEqual(outcome, between[place - 1])
        else
          assert.ok(
            typeof outcome === 'object' && 'reason' in outcome && outcome.message !== '',
            `${index}: ${JSON.stringify(outcome)}`,
          )
      }
    })

    test('A dead letter played again is that dead letter and no row', () => {
      const { deadLetters } = conserved([...bad, ...good.map(({ bytes }) => bytes.subarray(0, -3))])
      for (const { value, reason } of deadLetters) {
        assert.ok(value !== undefined, 'a dead letter has its value')
        const again = conserved([value])
        assert.deepEqual([again.columns.length, again.deadLetters.map((each) => each.reason)], [0, [reason]])
        assert.deepEqual(again.deadLetters[0]?.value, value)
      }
    })

    test('Whatever the bytes are, each message is accounted for, in the order of the messages', () => {
      const values = [...STRANGE, ...STRANGE_BYTES, ...bad, null]
      conserved(values)
      const mixed = values.flatMap((value) => [value, ...good.map(({ bytes }) => bytes)])
      const { raw, records } = conserved(mixed)
      const rows = new Set(Array.from(records, (record) => raw.offsets[record]))
      for (const [offset, value] of mixed.entries())
        if (good.some(({ bytes }) => bytes === value))
          assert.ok(rows.has(BigInt(offset)), `the good message ${offset} is among the rows`)
    })

    test('A tombstone is counted, an empty batch is nothing', () => {
      assert.deepEqual(outcomes([null, ...good.slice(0, 1).map(({ bytes }) => bytes), null]), [
        'tombstone',
        ...good.slice(0, 1).flatMap(expected),
        'tombstone',
      ])
      assert.deepEqual(outcomes([]), [])
    })

    test('Good messages cut at any byte, and with any byte changed, are rows or dead letters and nothing else', () => {
      const spoiled = good.flatMap(({ bytes }) =>
        Array.from(bytes.keys()).flatMap((at) => [
          bytes.subarray(0, at),
          ...[0x00, 0x22, 0x5c, 0x7b, 0xff].map((byte) =>
            Uint8Array.from(bytes, (old, i) => (i === at ? byte : old)),
          ),
        ]),
      )
      conserved(spoiled)
    })

    test('A format that is used again starts afresh', () => {
      const format = subject.open()
      const raw = rawOf([good[0]?.bytes ?? null, bad[0] ?? null])
      const first = outcomesOf(format, contract, raw)
      assert.deepEqual(outcomesOf(format, contract, raw), first)
    })
  })
}
