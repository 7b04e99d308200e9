import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countLetters } from '../../../src/cli/dlq/group.ts'
import { formatIncomplete } from '../../../src/cli/dlq/text.ts'
import { readLetterRecord, type StoredLetter } from '../../../src/stored-letters/stored.ts'

/** A dead letter as a topic holds it, whose value was cut if it has a size. */
function letterOf(offset: number, valueBytes?: number): StoredLetter {
  const envelope = {
    original_topic: 'orders',
    original_partition: 3,
    original_offset: offset,
    original_value: '{"a":',
    error_message: 'expected JSON',
    error_reason: 'decode',
    ...(valueBytes === undefined ? {} : { original_value_truncated: true, original_value_bytes: valueBytes }),
  }
  const record = readLetterRecord(Buffer.from(JSON.stringify(envelope)), undefined)
  return record?.kind === 'letter' ? record.letter : assert.fail()
}

async function* selected(...letters: readonly StoredLetter[]): AsyncGenerator<{ letter: StoredLetter }> {
  for (const letter of letters) yield await Promise.resolve({ letter })
}

test('Dead letters that were cut are counted beside the causes, with the first of them', async () => {
  const { count, causes, incomplete } = await countLetters(
    selected(letterOf(1), letterOf(2, 70_000), letterOf(3, 90_000)),
  )
  assert.equal(count, 3)
  assert.deepEqual(
    causes.top().map(({ reason, count: letters }) => [reason, letters]),
    [['decode', 3]],
  )
  assert.equal(
    formatIncomplete(incomplete.top()),
    '2 of them cannot be replayed: value truncated in the envelope, … bytes in Kafka (first at 3/2)\n',
  )
})

test('Without dead letters that were cut nothing is said', async () => {
  const { incomplete } = await countLetters(selected(letterOf(1)))
  assert.equal(formatIncomplete(incomplete.top()), '')
})
