import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Contract } from '../../src/contract/contract.ts'
import type { Format } from '../../src/formats/format.ts'
import { rawOf } from '../support/batches.ts'
import { outcomesOf } from '../support/outcomes.ts'

/** How the suite gets at one format. */
export interface FormatUnderTest {
  readonly name: string
  readonly open: () => Format
  /** What its records must be. */
  readonly contract: Contract
  /** Records that are rows, with the rows. */
  readonly good: readonly { readonly bytes: Uint8Array; readonly row: Readonly<Record<string, unknown>> }[]
  /** Records that are none, by the bytes or by the contract. */
  readonly bad: readonly Uint8Array[]
}

/** What every format must do; run it from the format's own test file. */
export function formatContract(subject: FormatUnderTest): void {
  const { contract, good, bad } = subject
  const outcomes = (values: readonly (Uint8Array | null)[]) =>
    outcomesOf(subject.open(), contract, rawOf(values))
  describe(`${subject.name} keeps the contract of a format`, () => {
    test('Every good record is its row, alone and among others', () => {
      for (const { bytes, row } of good) assert.deepEqual(outcomes([bytes]), [{ row }])
      assert.deepEqual(
        outcomes(good.map(({ bytes }) => bytes)),
        good.map(({ row }) => ({ row })),
      )
    })

    test('Every bad record is one dead letter with a reason, and disturbs no neighbour', () => {
      const row = good[0]?.row
      const between = good[0]?.bytes ?? new Uint8Array(0)
      const found = outcomes(bad.flatMap((bytes) => [bytes, between]))
      for (const [index, outcome] of found.entries()) {
        if (index % 2 === 1) assert.deepEqual(outcome, { row })
        else
          assert.ok(
            typeof outcome === 'object' && 'reason' in outcome && outcome.message !== '',
            `${index}: ${JSON.stringify(outcome)}`,
          )
      }
    })

    test('A tombstone is counted, an empty batch is nothing', () => {
      assert.deepEqual(outcomes([null, good[0]?.bytes ?? null, null]), [
        'tombstone',
        { row: good[0]?.row },
        'tombstone',
      ])
      assert.deepEqual(outcomes([]), [])
    })

    test('Good records cut at any byte, and with any byte changed, are rows or dead letters, one each', () => {
      const spoiled = good.flatMap(({ bytes }) =>
        Array.from(bytes.keys()).flatMap((at) => [
          bytes.subarray(0, at),
          ...[0x00, 0x22, 0x5c, 0x7b, 0xff].map((byte) =>
            Uint8Array.from(bytes, (old, i) => (i === at ? byte : old)),
          ),
        ]),
      )
      assert.equal(outcomes(spoiled).length, spoiled.length)
    })

    test('A format that is used again starts afresh', () => {
      const format = subject.open()
      const raw = rawOf([good[0]?.bytes ?? null, bad[0] ?? null])
      const first = outcomesOf(format, contract, raw)
      assert.deepEqual(outcomesOf(format, contract, raw), first)
    })
  })
}
