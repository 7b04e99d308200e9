import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LetterGroups } from '../../../src/console/history/letter-groups.ts'
import type { DeadLetter } from '../../../src/core/batch.ts'
import { causeIdOf } from '../../../src/stored-letters/cause.ts'

const letter = (message: string, offset: number, reason: DeadLetter['reason'] = 'contract'): DeadLetter => ({
  ...{ reason, message, topic: 'orders', partition: 1, offset: BigInt(offset), timestampMs: 0 },
  ...{ key: undefined, value: new TextEncoder().encode('a secret value') },
})

test('Letters whose messages differ in values are one group, with the last one as sample and the id of the command dlq', () => {
  const groups = new LetterGroups()
  groups.add([letter('property "id": expected integer, got "a"', 1), letter('no JSON at 7', 2, 'decode')], 10)
  groups.add([letter('property "id": expected integer, got "b"', 3)], 20)
  const [first, second] = groups.list()
  assert.deepEqual([first?.reason, first?.count, first?.lastAtMs], ['contract', 2, 20])
  assert.equal(first?.cause, 'property "id": expected integer, got "…"')
  assert.equal(first.id, causeIdOf('contract', 'property "id": expected integer, got "zzz"'))
  assert.deepEqual(first.sample, {
    ...{ partition: 1, offset: '3', message: 'property "id": expected integer, got "b"' },
  })
  assert.deepEqual([second?.reason, second?.count], ['decode', 1])
  assert.ok(!JSON.stringify(groups.list()).includes('secret'))
})

test('At most fifty causes are told apart; the letters of all others are one group', () => {
  const groups = new LetterGroups()
  const cause = (at: number): string => `field${'x'.repeat(at)} is wrong`
  for (let at = 0; at < 200; at++) groups.add([letter(cause(at), at)], at)
  groups.add([letter(cause(0), 900)], 900)
  const list = groups.list()
  assert.equal(list.length, 51)
  assert.deepEqual([list[0]?.reason, list[0]?.count, list[0]?.id], ['others', 150, undefined])
  assert.equal(list[1]?.count, 2)
  assert.equal(
    list.reduce((sum, { count }) => sum + count, 0),
    201,
  )
})

test('Of a flush with very many letters the causes are estimated, and the counts still add up', () => {
  const groups = new LetterGroups()
  const many = Array.from({ length: 12_345 }, (_, at) => letter(at < 9_000 ? 'bad "a"' : 'worse', at))
  groups.add(many, 1)
  const counts = new Map(groups.list().map(({ cause, count }) => [cause, count]))
  assert.equal((counts.get('bad "…"') ?? 0) + (counts.get('worse') ?? 0), 12_345)
  assert.ok(Math.abs((counts.get('bad "…"') ?? 0) - 9_000) < 50)
  const [longest] = new LetterGroups().list()
  assert.equal(longest, undefined)
  groups.add([letter('x'.repeat(100_000), 1)], 2)
  assert.ok(groups.list().every(({ cause, sample }) => cause.length <= 400 && sample.message.length <= 500))
})
