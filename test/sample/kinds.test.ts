import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { readContract } from '../../src/contract/file.ts'
import { BAD_RECORD_KINDS } from '../../src/sample/bad-records.ts'
import { SAMPLE_KINDS, type SampleKindName } from '../../src/sample/kinds.ts'

const CONTRACTS: Readonly<Record<SampleKindName, string>> = {
  user: 'schemas/user-events.schema.json',
  order: 'schemas/order-events.schema.json',
  web: 'schemas/web-requests.schema.json',
}
const utf8 = new TextDecoder('utf-8', { fatal: true })

for (const [kind, file] of Object.entries(CONTRACTS) as [SampleKindName, string][]) {
  const contract = await readContract(file)
  /**
   * Returns true when a record fits the table: JSON in UTF-8, valid for the contract, its integers within 64 bits.
   */
  const isGood = (value: Buffer): boolean => {
    try {
      const text = utf8.decode(value)
      return contract.check(JSON.parse(text)) === undefined && !/:\d{19,}/.test(text)
    } catch {
      return false
    }
  }

  test(`${kind}: exactly the events marked as bad violate the contract, in every kind`, () => {
    const kinds = new Set<string>()
    for (const { key, value, bad } of SAMPLE_KINDS[kind].events({ seed: 1, count: 4_000, badEvery: 100 })) {
      assert.equal(isGood(value), bad === undefined, `${key} ${value.toString().slice(0, 300)}`)
      if (bad !== undefined) kinds.add(bad)
    }
    assert.deepEqual([...kinds].sort(), [...BAD_RECORD_KINDS].sort())
  })

  test(`${kind}: the same seed gives the same events, with any time step`, () => {
    const options = { seed: 7, count: 200, badEvery: 50, stepMs: 1_000 / 3, startMs: 1_000_000_000_000 }
    const events = [...SAMPLE_KINDS[kind].events(options)]
    assert.deepEqual([...SAMPLE_KINDS[kind].events(options)], events)
    assert.notDeepEqual([...SAMPLE_KINDS[kind].events({ ...options, seed: 8 })], events)
    assert.equal(new Set(events.map(({ key }) => key)).size, 200)
  })

  test(`${kind}: a schema id precedes every value but the empty ones`, () => {
    const bare = [...SAMPLE_KINDS[kind].events({ seed: 1, count: 60, badEvery: 10 })]
    const framed = [...SAMPLE_KINDS[kind].events({ seed: 1, count: 60, badEvery: 10, schemaId: 258 })]
    for (const [index, { value }] of framed.entries()) {
      const plain = bare[index]?.value ?? Buffer.alloc(0)
      const expected = plain.length === 0 ? plain : Buffer.concat([Buffer.from([0, 0, 0, 1, 2]), plain])
      assert.deepEqual(value, expected)
    }
    assert.ok(
      framed.some(({ value }) => value.length === 0),
      'one is empty',
    )
  })
}

test('the total of an order is the sum of its items', () => {
  for (const { value } of SAMPLE_KINDS.order.events({ seed: 4, count: 2_000 })) {
    const { total, items } = JSON.parse(value.toString()) as {
      total: number | string
      items: { quantity: number; price: number; discount: number | null }[]
    }
    const cents = (amount: number): number => Math.round(amount * 100)
    const sum = items.reduce(
      (all, item) => all + item.quantity * (cents(item.price) - cents(item.discount ?? 0)),
      0,
    )
    assert.equal(cents(Number(total)), sum)
    assert.ok(items.length >= 1 && items.length <= 3, `${items.length} items`)
  }
})

/** Checksums of 25,000 events of each kind, so that a seed gives the same events in every version. */
const CHECKSUMS: Readonly<Record<SampleKindName, string>> = {
  user: '3ea7437b9ba086912f85b5af675991be7e66befa8cb2ad8ab69c680f89581f62',
  order: 'cce110814e4117876e895073da0be5028789d2a0fd79735d9591125e72f6ea26',
  web: 'c8d946f1d982d618f89cf9ed21f7a097c0abc030bc375eb298a0bb5025ce2391',
}

for (const [kind, checksum] of Object.entries(CHECKSUMS) as [SampleKindName, string][])
  test(`${kind}: a seed gives the events that it has always given`, () => {
    const hash = createHash('sha256')
    const bad = { badEvery: 7, traceparentEvery: 5, schemaId: 77 }
    for (const options of [
      { seed: 1, count: 20_000 },
      { seed: 7, count: 5_000, stepMs: 0.01, days: 3_650, ...bad },
    ])
      for (const event of SAMPLE_KINDS[kind].events(options))
        hash
          .update(`${event.key}\n`)
          .update(event.value)
          .update(JSON.stringify([event.headers, event.bad]))
    assert.equal(hash.digest('hex'), checksum)
  })
