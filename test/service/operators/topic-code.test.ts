// Goal: the code of a user runs within its topic, and whatever is wrong with it is a failure of that topic alone, with its place.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { metrics } from '@opentelemetry/api'
import { filter, map, type OperatorFunction } from 'rxjs'
import { mapRows } from '../../../operators/rows/map-rows.ts'
import type { Rows } from '../../../src/arrow/rows.ts'
import type { Batch } from '../../../src/core/batch.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { derivedColumn } from '../../../src/enrichments/derived-column.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import type { Infer } from '../../../src/rows/row-types.ts'
import { columns } from '../../../src/rows/row-schema.ts'
import { defineOperators, makeExtensions } from '../../../src/service/operators/define.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { CodeBench } from './support.ts'

const benches: CodeBench[] = []
function bench(...given: ConstructorParameters<typeof CodeBench>): CodeBench {
  const made = new CodeBench(...given)
  benches.push(made)
  return made
}
after(() => {
  for (const each of benches) each.remove()
})

const FILTER = `
import { defineOperators, filterRows, mapRows, PipelineError } from 'kafka-delta'
import { pipe } from 'rxjs'
 export const starts = []
 export default defineOperators(({ topic, name, log, meter }) => {
  starts.push([topic, name, typeof meter.createCounter, PipelineError.name])
  log.info('Operators made')
  return {
    rows: pipe(filterRows((row) => row.id > 1), mapRows((row) => ({ ...row, amount: row.amount * 2 }))),
  }
})
`

test('Operators of a file run on valid rows of their topic, with its name and its logger', async () => {
  const one = bench({ events: { operators: './operators.mjs' }, others: {} }, { 'operators.mjs': FILTER })
  one.push('events', ['{"id":1,"amount":1}', '{"id":2,"amount":2}', '{"amount":3}', '{"id":4,"amount":4}'])
  one.push('others', ['{"id":1,"amount":1}'])
  await one.carry()
  assert.deepEqual(await one.rows('events'), [
    { id: 2, amount: 4 },
    { id: 4, amount: 8 },
  ])
  assert.deepEqual(await one.rows('others'), [{ id: 1, amount: 1 }])
  assert.deepEqual(
    one.letters.map(({ offset, reason }) => [offset, reason]),
    [[2n, 'contract']],
  )
  const { starts } = (await import(`file://${one.folder}/operators.mjs`)) as { starts: unknown }
  assert.deepEqual(starts, [['events', 'events', 'function', 'PipelineError']])
  const [made] = one.lines.filter(({ msg }) => msg === 'Operators made')
  assert.equal(made?.['topic'], 'events')
})

test('Each topic of a list has operators of its own', async () => {
  const one = bench(
    { all: { topics: ['a', 'b'], operators: './operators.mjs', table: { uri: './tables/{topic}' } } },
    { 'operators.mjs': FILTER },
  )
  await one.carry()
  const { starts } = (await import(`file://${one.folder}/operators.mjs`)) as { starts: unknown[][] }
  assert.deepEqual(starts.map(([topic, name]) => [topic, name]).sort(), [
    ['a', 'all/a'],
    ['b', 'all/b'],
  ])
})

const FAULTY: Readonly<Record<string, readonly [string, RegExp]>> = {
  'syntax.mjs': ['export default {', /syntax\.mjs cannot be loaded: \w+Error/],
  'absent.mjs': ['export const x = 1', /absent\.mjs has no default export/],
  'throws.mjs': [
    '\nthrow new TypeError("no such thing")',
    /throws\.mjs cannot be loaded at line 2:7: TypeError: no such thing/,
  ],
  'imports.mjs': [
    "import 'no-such-package'\nexport default []",
    /imports\.mjs cannot be loaded.*no-such-package/s,
  ],
  'number.mjs': ['export default 3', /number\.mjs: expected defineOperators\(…\), .* but it is number/],
  'unknown.mjs': [
    'export default { row: [] }',
    /unknown property row; known are rows, format, enrichments, close/,
  ],
  'list.mjs': ['export default [(rows) => rows, {}]', /rows\[1\]: expected an operator on rows/],
  'format.mjs': [
    'export default { format: { name: "x" } }',
    /format: expected a format with name, contract and open/,
  ],
  'enrich.mjs': ['export default { enrichments: [{}] }', /enrichments: expected a list of enrichments/],
}

for (const [file, [text, message]] of Object.entries(FAULTY)) {
  test(`A file with operators that cannot be used is refused before a table is created: ${file}`, async () => {
    const one = bench({ events: { operators: file } }, { [file]: text })
    await assert.rejects(one.carry(), (error) => {
      assert.ok(error instanceof PipelineError)
      assert.equal(error.code, 'KD_CONFIG_INVALID')
      assert.match(error.message, message)
      return true
    })
    await assert.rejects(one.rows('events'), { code: 'KD_TABLE_MISSING' })
  })
}

test('A file that does not exist, or that is no code, is a fault of the configuration', () => {
  assert.throws(() => bench({ events: { operators: './absent.js' } }), {
    code: 'KD_CONFIG_INVALID',
    message: /topics\.events\.operators: does not exist: .*absent\.js/,
  })
  assert.throws(() => bench({ events: { operators: './operators.mjson' } }, { 'operators.mjson': '{}' }), {
    code: 'KD_CONFIG_INVALID',
    message: /must be a file ending in \.js/,
  })
})

test('An operator that throws fails its topic with file and line; the others go on', async () => {
  const thrower = `import { map } from 'rxjs'
 export default map((batch) => {
  if (batch.provenance.partition === 0) throw new RangeError('too small')
  return batch
})`
  const one = bench({ bad: { operators: 'bad.mjs' }, good: {} }, { 'bad.mjs': thrower })
  one.push('bad', ['{"id":1}'])
  one.push('good', ['{"id":1}'])
  await assert.rejects(one.carry(), (error) => {
    assert.ok(error instanceof PipelineError)
    assert.equal(error.code, 'KD_OPERATOR_FAILED', error.message)
    assert.match(error.message, /operators of topic bad threw RangeError: too small/)
    assert.equal(error.context['topic'], 'bad')
    assert.match(String(error.context['at']), /bad\.mjs:3:\d+$/)
    assert.ok(error.cause instanceof RangeError)
    return true
  })
  assert.deepEqual(await one.rows('good'), [{ id: 1, amount: null }])
  assert.deepEqual(await one.rows('bad'), [])
})

test('A definition, a format and an enrichment that throw fail their topic with their place', async () => {
  const fail = (): never => {
    throw new Error('out of order')
  }
  const schema = columns({ id: 'long' })
  const contract = { source: 'test', schema, check: () => undefined, plain: undefined }
  const inputs = {
    definition: defineOperators(fail),
    opening: { format: { name: 'own', contract, open: fail } },
    decoding: { format: { name: 'own', contract, open: () => ({ name: 'own', decode: fail }) } },
    enriching: { enrichments: [{ fields: [], columns: fail }] },
  }
  for (const [what, input] of Object.entries(inputs)) {
    const one = bench({ events: {} })
    one.push('events', ['{"id":1}'])
    await assert.rejects(one.carry({ operators: { events: input } }), (error) => {
      assert.ok(error instanceof PipelineError)
      assert.equal(error.code, 'KD_OPERATOR_FAILED', what)
      assert.match(error.message, /out of order/)
      assert.match(String(error.context['at']), /topic-code\.test\.[jt]s:\d+:\d+$/)
      return true
    })
  }
})

test('Operators that break their contract, or are no operators, fail their topic by name', async () => {
  const promise = (() => Promise.resolve()) as unknown as OperatorFunction<Batch<Rows>, Batch<Rows>>
  const inputs = {
    'rows[0] returned a promise': promise,
    'operators of topic events': filter<Batch<Rows>>(() => false),
  }
  for (const [words, input] of Object.entries(inputs)) {
    const one = bench({ events: {} })
    one.push('events', ['{"id":1}'])
    await assert.rejects(one.carry({ operators: { events: input } }), (error) => {
      assert.ok(error instanceof PipelineError)
      assert.equal(error.code, 'KD_OPERATOR_INVALID')
      assert.ok(error.message.includes(words), error.message)
      return true
    })
  }
})

test('An error that comes from before the operators is not theirs', async () => {
  const one = bench({ events: { table: { uri: './tables/events', schemaEvolution: 'failOnNewColumns' } } })
  one.push('events', ['{"id":1,"further":2}'])
  const carried = one.carry({ operators: { events: map((batch) => batch) } })
  await assert.rejects(carried, { code: 'KD_SCHEMA_CHANGED' })
})

const cents = columns({ id: 'long', cents: 'long?', far: 'boolean' })
const toCents = mapRows(
  ({ id, amount }: { id: number; amount: number | null }) => ({
    id,
    cents: amount === null ? null : Math.round(amount * 100),
    far: true,
  }),
  cents,
)

test('Operators that state other columns shape the table; contract and policy hold for the messages before', async () => {
  const one = bench({ events: { kafkaColumns: true, derive: { part: 'bucket(id, 4)' } } })
  one.push('events', ['{"id":1,"amount":1.25}', '{"id":2}', '{"id":"x"}', '{"id":3,"further":true}'])
  await one.carry({ operators: { events: [toCents] } })
  const shape = (rows: readonly unknown[]): unknown =>
    rows.map((row) => {
      const { id, cents, far } = row as Readonly<Record<string, unknown>>
      return [id, cents, far]
    })
  const store = await openStore(one.config.topics['events']?.table.uri ?? '', {})
  const names = async (): Promise<readonly string[]> =>
    (await loadSnapshot(store)).metadata.schema.fields.map(({ name }) => name)
  const expected = [
    'id',
    'cents',
    'far',
    '_kafka_topic',
    '_kafka_partition',
    '_kafka_offset',
    '_kafka_timestamp',
    '_kafka_key',
    'part',
  ]
  assert.deepEqual(await names(), expected)
  assert.deepEqual(shape(await one.rows('events')), [
    [1, 125, true],
    [2, null, true],
    [3, null, true],
  ])
  assert.deepEqual(
    one.letters.map(({ offset, reason }) => [offset, reason]),
    [[2n, 'contract']],
  )
  // The next start finds the table, whose columns are not those of the messages.
  one.push('events', ['{"id":4,"amount":4}'])
  const wider = columns({ id: 'long', cents: 'long?', far: 'boolean', note: 'string?' })
  const noted = mapRows((row: Infer<typeof cents>) => ({ ...row, note: 'new' }), wider)
  await one.carry({ operators: { events: { rows: [toCents, noted] } } })
  assert.deepEqual(await names(), [...expected, 'note'])
  assert.deepEqual(shape(await one.rows('events')), [
    [1, 125, true],
    [2, null, true],
    [3, null, true],
    [4, 400, true],
  ])
  await store.close()
})

test('Operators that state other columns need a schema of the messages, also when the table exists', async () => {
  const one = bench({ events: { contract: null } })
  one.push('events', ['{"id":1,"amount":1.25}'])
  const refused = { code: 'KD_CONFIG_INVALID', message: /operators change the columns of rows.*set contract/ }
  await assert.rejects(one.carry({ operators: { events: toCents } }), refused)
  await one.carry()
  await assert.rejects(one.carry({ operators: { events: toCents } }), refused)
})

test('Rows that cannot fit the table are refused at the start, as the policy says', async () => {
  const one = bench({ events: { table: { uri: './tables/events', schemaEvolution: 'failOnNewColumns' } } })
  one.push('events', ['{"id":1,"amount":1.25}'])
  await one.carry()
  await assert.rejects(one.carry({ operators: { events: toCents } }), { code: 'KD_SCHEMA_MISMATCH' })
})

test('Enrichments of a user add columns after those of the configuration, also to inferred columns', async () => {
  const one = bench({ events: { contract: null } })
  one.push('events', ['{"id":6}'])
  const twice = derivedColumn('twice', 'bucket(id, 4)', columns({ id: 'long' }))
  await one.carry({ operators: { events: { enrichments: [twice] } } })
  await one.carry({ operators: { events: { enrichments: [twice] } } })
  const [row] = (await one.rows('events')) as Readonly<Record<string, unknown>>[]
  assert.deepEqual(Object.keys(row ?? {}), ['id', 'twice'])
})

test('A restart makes the operators anew, and each run closes its own', async () => {
  const one = bench({ events: { restart: { attempts: 3, baseMs: 1, capMs: 1 } } })
  one.push('events', ['{"id":1}'])
  const calls: string[] = []
  let runs = 0
  const code = defineOperators(() => {
    const run = ++runs
    calls.push(`made ${run}`)
    return {
      rows: map((batch) => {
        if (run === 1) throw new PipelineError('KD_SOURCE_FAILED', 'not yet')
        return batch
      }),
      close: () => calls.push(`closed ${run}`),
    }
  })
  await one.carry({ operators: { events: code } })
  assert.deepEqual(calls, ['made 1', 'closed 1', 'made 2', 'closed 2'])
  assert.deepEqual(await one.rows('events'), [{ id: 1, amount: null }])
})

test('The operators of a topic that cannot be opened, or that is stopped before its first message, are closed', async () => {
  const calls: string[] = []
  const code = defineOperators(() => ({ close: () => calls.push('closed') }))
  const unopened = bench({ events: { contract: null, compatibility: 'kafka-delta-ingest' } })
  await assert.rejects(unopened.carry({ operators: { events: code } }), { code: 'KD_TABLE_MISSING' })
  const empty = bench({ events: { contract: null } })
  await assert.rejects(empty.carry({ operators: { events: code } }), { code: 'KD_CONFIG_INVALID' })
  assert.deepEqual(calls, ['closed', 'closed'])
})

test('Code for an entry that does not exist is refused with the nearest name', async () => {
  const one = bench({ events: {} })
  await assert.rejects(one.carry({ operators: { event: [] } }), {
    code: 'KD_CONFIG_INVALID',
    message: /operators: event is not an entry of topics; the nearest one is events/,
  })
})

test('A definition may be asynchronous', async () => {
  const context = {
    topic: 't',
    name: 't',
    log: createLogger({ level: 'silent' }),
    meter: metrics.getMeter('test'),
  }
  const made = await makeExtensions(
    defineOperators(async () => Promise.resolve({ rows: [] })),
    context,
    'test',
  )
  assert.deepEqual(made, { rows: [] })
})
