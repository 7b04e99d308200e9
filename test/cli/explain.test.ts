import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadConfig } from '../../config/load/load.ts'
import { explainTopic, formatExplanation, type TopicExplanation } from '../../src/cli/explain.ts'

const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-explain-'))
after(() => {
  rmSync(folder, { recursive: true })
})

const contract = join(folder, 'contract.json')
writeFileSync(
  contract,
  JSON.stringify({
    type: 'object',
    properties: { id: { type: 'integer' }, name: { type: 'string' } },
    required: ['id'],
  }),
)

async function explanationOf(options: object): Promise<TopicExplanation> {
  const config = loadConfig({ object: { topics: { a: { table: { uri: folder }, ...options } } } })
  return explainTopic('a', config.topics['a'] ?? assert.fail(), config)
}

test('JSON with a plain contract runs on columns, each of which is named', async () => {
  const explanation = await explanationOf({ contract })
  assert.equal(explanation.on, 'columns')
  assert.deepEqual(explanation.subjects, [
    { subject: 'columns.id', on: 'columns' },
    { subject: 'columns.name', on: 'columns' },
  ])
  assert.match(formatExplanation(explanation), /topic a: records are decoded into columns\n.*what.*\n/)
})

test('Filter, rules and transforms are named, with the reason of those that need objects', async () => {
  const { subjects } = await explanationOf({
    contract,
    rules: [{ name: 'positive', when: 'id < `0`', error: 'negative' }],
    filter: 'id > `3`',
    transforms: { day: 'name' },
  })
  const steps = subjects.filter(({ subject }) => !subject.startsWith('columns.'))
  assert.deepEqual(
    steps.map(({ subject }) => subject),
    ['rules.positive', 'filter', 'transforms.day'],
  )
  for (const { on, reason } of steps) assert.equal(on === 'objects', reason !== undefined)
})

test('A format without a columnar path is the reason of the whole topic', async () => {
  const { on, subjects } = await explanationOf({ format: 'csv', csv: { columns: ['id', 'name'] }, contract })
  assert.equal(
    on === 'objects',
    subjects.some((each) => each.on === 'objects'),
  )
  for (const each of subjects) assert.equal(each.on === 'objects', each.reason !== undefined)
})

test('A contract with a rule that needs the whole message says so', async () => {
  const path = join(folder, 'whole.json')
  writeFileSync(
    path,
    JSON.stringify({
      type: 'object',
      properties: { id: { type: 'integer' } },
      propertyNames: { pattern: '^[a-z]+$' },
      if: { required: ['id'] },
      then: { maxProperties: 3 },
    }),
  )
  const { subjects } = await explanationOf({ contract: path })
  assert.ok(subjects.length >= 1)
  for (const each of subjects) assert.equal(each.on === 'objects', each.reason !== undefined)
})
