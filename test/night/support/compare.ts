import { expectedOf } from '../../faults/support/load.ts'
import type { Expected } from '../../integrity/support/topic.ts'
import { isExact, verify } from '../../integrity/support/verify.ts'
import type { Night } from './night.ts'
import type { Carried } from './scenario.ts'

/** Compares a table and its dead letters with its topic; returns what is not the same. */
export async function compare(
  carried: Carried,
  brokers: readonly string[],
  night: Pick<Night, 'program'>,
): Promise<readonly string[]> {
  return compareWith(await expectedOf(brokers, carried.topic), carried, brokers, night)
}

/** Compares a table and its dead letters with what its topic held; returns what is not the same. */
export async function compareWith(
  expected: Expected,
  { topic, uri, env = {}, deadLetterTopic = `${topic}-dlq`, areRowsOnly = false }: Carried,
  brokers: readonly string[],
  { program }: Pick<Night, 'program'>,
): Promise<readonly string[]> {
  const found = await verify(expected, { program, brokers, uri, env, deadLetterTopic })
  const rows = [found.missingRows, found.repeatedRows, found.wrongRows]
  const isSame = areRowsOnly
    ? found.rows === expected.good && rows.every((count) => count === 0)
    : isExact(found, expected)
  if (isSame) return []
  return [
    `${topic}: expected ${expected.good} rows and ${expected.bad} letters, found ${JSON.stringify(found)}`,
  ]
}
