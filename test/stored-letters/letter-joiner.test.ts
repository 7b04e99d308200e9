// Goal: a letter in parts is read back whole, or is said to be incomplete.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLetter } from '../../src/core/batch.ts'
import type { Headers } from '../../src/core/raw.ts'
import { recordsOf } from '../../src/kafka/dead-letters/letter-records.ts'
import { LetterJoiner, type JoinOptions } from '../../src/stored-letters/letter-joiner.ts'
import type { StoredLetter } from '../../src/stored-letters/stored.ts'

const KIB = 1024
const BIG = Buffer.alloc(5 * KIB, 97)
const bytes = (text: string): Buffer => Buffer.from(text)

interface Written {
  readonly value: Buffer
  readonly headers: Headers | undefined
}

/** Returns the records of a letter, at most 1 KiB of it in each. */
function written(offset: bigint, facts: Partial<DeadLetter> = {}, traceId?: string): readonly Written[] {
  const letter: DeadLetter = {
    reason: 'contract',
    message: 'was bad',
    topic: 'events',
    partition: 0,
    offset,
    timestampMs: 1_700_000_000_000,
    key: bytes('k'),
    value: BIG,
    ...facts,
  }
  const options = { partition: 0, valueBytesMax: KIB, nowMs: 0, traceId }
  return [...recordsOf(letter, 0, options)].map(({ message: { value, headers } }) => ({
    value: value as Buffer,
    // As a consumer reads them: text is bytes, and one value is no list.
    headers:
      headers &&
      Object.fromEntries(
        Object.entries(headers).map(([name, one]) => {
          const values = [one].flat().map((each) => Buffer.from(each ?? ''))
          return [name, values.length === 1 ? (values[0] as Buffer) : values]
        }),
      ),
  }))
}

function joined(
  records: readonly Written[],
  options?: JoinOptions,
): { letters: StoredLetter[]; lost: number } {
  const joiner = new LetterJoiner(options)
  const letters = records.flatMap(({ value, headers }) => joiner.add(value, headers) ?? [])
  letters.push(...joiner.end())
  return { letters, lost: joiner.lostCount }
}

const summary = ({ letters, lost }: ReturnType<typeof joined>): unknown => ({
  letters: letters.map(({ position, unplayable, value }) => [
    Number(position?.offset),
    unplayable === undefined ? 'whole' : 'incomplete',
    value?.length,
  ]),
  lost,
})

const CONTENTS: Readonly<Record<string, Partial<DeadLetter>>> = {
  'a large value': {},
  'a large binary value': { value: Buffer.alloc(5 * KIB, 255) },
  'a large key': { value: bytes('{}'), key: Buffer.alloc(3 * KIB, 98) },
  'a large header': { value: bytes('{}'), headers: { big: BIG, none: null, many: [bytes('1'), null] } },
  'a null value and large headers': { value: undefined, key: undefined, headers: { big: BIG } },
}
for (const [name, facts] of Object.entries(CONTENTS)) {
  test(`A letter with ${name} is joined from its parts`, () => {
    const records = written(7n, facts, 'trace')
    assert.ok(records.length > 2, 'there are parts')
    const { letters, lost } = joined(records)
    const [letter] = letters
    assert.deepEqual([letters.length, lost, letter?.unplayable], [1, 0, undefined])
    const { key = bytes('k'), value = BIG, headers } = { ...facts }
    assert.deepEqual(letter?.key, 'key' in facts ? facts.key : key)
    assert.deepEqual(letter?.value, 'value' in facts ? facts.value : value)
    assert.deepEqual(letter?.headers, headers)
    assert.deepEqual([letter?.traceId, letter?.message, letter?.position?.offset], ['trace', 'was bad', 7n])
  })
}

test('Letters without parts come at once, in order with joined ones, and null headers are null again', () => {
  const small = { value: bytes('{}'), headers: { none: null, empty: bytes('') } }
  const { letters } = joined([...written(1n, small), ...written(2n), ...written(3n, small)])
  assert.deepEqual(
    letters.map(({ position }) => position?.offset),
    [1n, 2n, 3n],
  )
  assert.deepEqual(letters[0]?.headers, { none: null, empty: bytes('') })
})

test('The parts of several producers may interleave', () => {
  const [a, b] = [written(1n), written(2n, { value: Buffer.alloc(6 * KIB, 98) })]
  const mixed = b.flatMap((record, index) => [record, ...a.slice(index, index + 1)])
  assert.deepEqual(summary(joined(mixed)), {
    letters: [
      [1, 'whole', 5 * KIB],
      [2, 'whole', 6 * KIB],
    ],
    lost: 0,
  })
})

test('A letter that lacks any of its parts, or has them out of order, is incomplete and truncated', () => {
  const all = written(1n)
  for (let missing = 1; missing < all.length; missing++) {
    const rest = all.filter((_, index) => index !== missing)
    assert.deepEqual(
      summary(joined(rest)),
      { letters: [[1, 'incomplete', KIB]], lost: 0 },
      `without part ${missing}`,
    )
  }
  const [first, one, two, ...more] = all as [Written, Written, Written, ...Written[]]
  assert.deepEqual(summary(joined([first, two, one, ...more])), {
    letters: [[1, 'incomplete', KIB]],
    lost: 0,
  })
  assert.deepEqual(summary(joined([first, one, one, two, ...more])), {
    letters: [[1, 'incomplete', KIB]],
    lost: 0,
  })
})

test('A letter whose first record is lost is counted', () => {
  assert.deepEqual(summary(joined(written(1n).slice(1))), { letters: [], lost: 1 })
  assert.deepEqual(summary(joined([...written(1n).slice(3), ...written(2n)])), {
    letters: [[2, 'whole', 5 * KIB]],
    lost: 1,
  })
})

test('Letters that are not wanted are left out, without being counted as lost', () => {
  const records = [...written(1n), ...written(2n), ...written(3n, { value: bytes('{}') })]
  const wants = ({ position }: StoredLetter): boolean => position?.offset === 2n
  assert.deepEqual(summary(joined(records, { wants })), { letters: [[2, 'whole', 5 * KIB]], lost: 0 })
})

test('Without content a letter stays truncated, and missing parts are still noticed', () => {
  const records = [...written(1n), ...written(2n).slice(0, -1)]
  assert.deepEqual(summary(joined(records, { withContent: false })), {
    letters: [
      [1, 'whole', KIB],
      [2, 'incomplete', KIB],
    ],
    lost: 0,
  })
})

test('Letters beyond the maximum of held bytes are returned truncated, oldest first, with a reason', () => {
  const [a, b] = [written(1n), written(2n)]
  const mixed = a.flatMap((record, index) => [record, b[index] as Written])
  const { letters, lost } = joined(mixed, { bytesMax: 9 * KIB })
  assert.deepEqual(summary({ letters, lost }), {
    letters: [
      [1, 'incomplete', KIB],
      [2, 'whole', 5 * KIB],
    ],
    lost: 0,
  })
  assert.match(letters[0]?.unplayable ?? '', /too many bytes .* --partition/)
})

test('A repeated first record, or a repeated letter, does not stop the letter from being read', () => {
  const all = written(1n)
  const [first] = all as [Written, ...Written[]]
  assert.deepEqual(summary(joined([first, ...all, ...all])), {
    letters: [
      [1, 'incomplete', KIB],
      [1, 'whole', 5 * KIB],
      [1, 'whole', 5 * KIB],
    ],
    lost: 0,
  })
})

test('A record of another service is none', () => {
  const joiner = new LetterJoiner()
  for (const text of ['', '{}', '{"dlq_parts_id":"a","dlq_part":2,"dlq_parts":1,"dlq_part_content":""}'])
    assert.equal(joiner.add(bytes(text), undefined), undefined, text)
})
