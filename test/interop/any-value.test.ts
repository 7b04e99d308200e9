// Goal: any JSON, Avro or Protobuf value with any names gives, through inference and evolution, a table that delta-rs and
// DuckDB open and in which every value equals the input, or a dead letter.
// Method: values by a seed, many a table. `npm run any-value` runs 100,000 of them, `TEST_SEED` repeats a run.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { findNameFault, type StructType } from '../../src/core/schema.ts'
import { toJsonText } from '../../src/core/json-text.ts'
import { verifyTable, type TableProblem } from '../../src/delta/maintenance/verify.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { parseExact } from '../../src/formats/json/exact.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { carryValues } from '../support/service.ts'
import { anyFields, anyObject } from '../support/values/any-json.ts'
import { encoderOf, recordsOf } from '../support/values/avro-values.ts'
import { chanceBy, chanceOf, type Chance } from '../support/values/chance.ts'
import { messagesOf, protoEncoderOf } from '../support/values/proto-values.ts'
import { READERS, readersForTests, type Readers } from './support/readers.ts'
import { findDifference } from './support/same-value.ts'

/** Inputs of the whole run: half of them JSON, a quarter each Avro and Protobuf. */
const INPUTS = Number(process.env['ANY_VALUE_INPUTS'] ?? 600)
const TABLE_INPUTS_MAX = INPUTS > 10_000 ? 200 : 60

let folder: string
let readers: Readers | undefined
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'any-value-'))
  readers = await readersForTests()
})
after(() => rm(folder, { recursive: true, force: true }))

/** The values of a topic, and what a row must have for each. */
interface Topic {
  readonly values: readonly (string | Uint8Array)[]
  readonly given: readonly unknown[]
  readonly options: object
}

/** Carries a topic into a new table and compares every row; returns the number of rows. */
async function carryAndCompare(name: string, { values, given, options }: Topic): Promise<number> {
  const uri = join(folder, name)
  const more = { kafkaColumns: true, inference: { records: 20 }, ...options }
  const { deadLetters } = await carryValues(values, { uri, more, flushCount: 25 })
  const store = new LocalStore(uri)
  const { schema } = (await loadSnapshot(store)).metadata
  assert.equal(findNameFault(schema), undefined)
  const problems: TableProblem[] = []
  await verifyTable(store, { onProblem: (problem) => Promise.resolve(void problems.push(problem)) })
  assert.deepEqual(problems, [])
  const lost = new Set(deadLetters.map(({ offset }) => Number(offset)))
  assert.equal(lost.size, deadLetters.length)
  const columns: StructType = {
    type: 'struct',
    fields: schema.fields.filter((field) => !field.name.startsWith('_kafka_')),
  }
  for (const reader of READERS) {
    const rows = (await readers?.rows(reader, uri)) ?? []
    if (readers === undefined) continue
    assert.equal(rows.length, values.length - lost.size, `${reader}: rows and dead letters`)
    for (const text of rows) {
      const row = new Map(Object.entries(parseExact(text) as object))
      const offset = Number(row.get('_kafka_offset'))
      assert.ok(!lost.has(offset), `${reader}: offset ${offset} is a dead letter and a row`)
      for (const key of [...row.keys()]) if (key.startsWith('_kafka_')) row.delete(key)
      const difference = findDifference(columns, given[offset], Object.fromEntries(row))
      assert.equal(difference, undefined, `${reader}: offset ${offset} of ${given.length}`)
    }
  }
  await rm(uri, { recursive: true })
  return values.length - lost.size
}

/** Carries topics until they had `inputs` values. The seed of a topic that fails is in the message. */
async function carryAll(
  t: TestContext,
  inputs: number,
  topicOf: (chance: Chance, name: string) => Promise<Topic>,
  kind: string,
): Promise<void> {
  const first = chanceOf(t)
  let [done, rows] = [0, 0]
  for (let table = 0; done < inputs; table++) {
    const seed = table === 0 ? first.seed : first.int(0x7fff_ffff)
    const name = `${kind}-${table}`
    const topic = await topicOf(chanceBy(seed), name)
    try {
      rows += await carryAndCompare(name, topic)
    } catch (error) {
      throw new Error(`TEST_SEED=${seed} repeats this as its first table: ${String(error)}`, { cause: error })
    }
    done += topic.values.length
  }
  t.diagnostic(`${done} values, ${rows} rows`)
  assert.ok(rows > done / 10, `only ${rows} of ${done} values became rows`)
}

/** Messages that are no rows. */
const NO_ROWS = ['1', '1.0', '1e400', '99999999999999999999', '"text"', '[{"a":1}]', 'true', '{', '"\\ud800"']

test('JSON', async (t) => {
  const topicOf = (chance: Chance): Promise<Topic> => {
    const fields = anyFields(chance)
    const values = Array.from({ length: 1 + chance.int(TABLE_INPUTS_MAX) }, () => anyObject(chance, fields))
    // One field at least becomes a column.
    const given = values.map((value, i) => {
      if (i > 0 && chance.once(50)) return chance.pick(NO_ROWS)
      return value === '{}' ? `{"i":${i}}` : `{"i":${i},${value.slice(1)}`
    })
    return Promise.resolve({
      values: given,
      given: given.map((value) => (value === '{' ? undefined : parseExact(value))),
      options: {},
    })
  }
  await carryAll(t, INPUTS / 2, topicOf, 'json')
})

/** Python's dates begin with the year 1. */
const isReadable = (row: unknown): boolean => !/"0000-/.test(toJsonText(row))

test('Avro', async (t) => {
  const topicOf = async (chance: Chance, name: string): Promise<Topic> => {
    const [made] = fc.sample(recordsOf(TABLE_INPUTS_MAX), { seed: chance.seed, numRuns: 1 })
    assert.ok(made !== undefined)
    const path = join(folder, `${name}.avsc`)
    await writeFile(path, JSON.stringify(made.schema))
    const pairs = made.pairs.filter(([, row]) => isReadable(row))
    const encode = encoderOf(made.schema)
    return {
      values: pairs.map(([value]) => encode(value)),
      given: pairs.map(([, row]) => row),
      options: { format: 'avro', avro: { schema: path } },
    }
  }
  await carryAll(t, INPUTS / 4, topicOf, 'avro')
})

test('Protobuf', async (t) => {
  const topicOf = async (chance: Chance, name: string): Promise<Topic> => {
    const [made] = fc.sample(messagesOf(TABLE_INPUTS_MAX), { seed: chance.seed, numRuns: 1 })
    assert.ok(made !== undefined)
    const path = join(folder, `${name}.proto`)
    await writeFile(path, made.text)
    const pairs = made.pairs.filter(([, row]) => isReadable(row))
    const encode = protoEncoderOf(made.text, made.message)
    return {
      values: pairs.map(([value]) => encode(value as object)),
      given: pairs.map(([, row]) => row),
      options: { format: 'protobuf', protobuf: { schema: path, message: made.message } },
    }
  }
  await carryAll(t, INPUTS / 4, topicOf, 'proto')
})
