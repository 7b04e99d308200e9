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

async function explanationOf(options: object, workers = 0): Promise<TopicExplanation> {
  const config = loadConfig({ object: { workers, topics: { a: { table: { uri: folder }, ...options } } } })
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

test('Filter, rules and transforms are named, and those that need objects with their reason', async () => {
  const steps = {
    rules: [{ name: 'positive', when: 'id < `0`', error: 'negative' }],
    filter: 'id > `3`',
    transforms: { day: 'substr(name, `0`, `10`)' },
  }
  const onColumns = await explanationOf({ contract, ...steps })
  assert.deepEqual(
    onColumns.subjects.map(({ subject, on }) => [subject, on]),
    ['columns.id', 'columns.name', 'rules.positive', 'filter', 'transforms.day'].map((subject) => [
      subject,
      'columns',
    ]),
  )
  const projected = { ...steps.transforms, letters: { expr: 'name[*]', type: 'string' } }
  const { on, subjects } = await explanationOf({ contract, ...steps, transforms: projected })
  assert.equal(on, 'objects')
  const objects = subjects.filter((each) => each.on === 'objects')
  assert.deepEqual(
    objects.map(({ subject }) => subject),
    ['transforms.letters'],
  )
  assert.notEqual(objects[0]?.reason ?? '', '')
})

test('CSV runs on columns; its transforms need objects', async () => {
  const csv = { format: 'csv', csv: { columns: ['id', 'name'] }, contract }
  assert.equal((await explanationOf(csv)).on, 'columns')
  const { subjects } = await explanationOf({ ...csv, filter: 'id > `3`' })
  assert.deepEqual(
    subjects.filter(({ on }) => on === 'objects'),
    [{ subject: 'filter', on: 'objects', reason: 'only messages in JSON are transformed in columns' }],
  )
})

test('A keyword that only objects can be checked by is named with its place', async () => {
  const path = join(folder, 'whole.json')
  writeFileSync(
    path,
    JSON.stringify({
      type: 'object',
      properties: {
        id: { type: 'integer' },
        tags: { type: 'array', items: { type: 'string' }, contains: { const: 'new' } },
      },
    }),
  )
  const { on, subjects } = await explanationOf({ contract: path })
  assert.equal(on, 'objects')
  assert.ok(subjects.some((each) => each.subject.startsWith('contract/') && each.on === 'objects'))
})

test('With worker threads it names what stays on the main thread, and why', async () => {
  const subjectsOf = async (options: object): Promise<readonly string[] | undefined> =>
    (await explanationOf(options, 2)).onMainThread?.map(({ subject }) => subject)
  assert.equal((await explanationOf({ contract })).onMainThread, undefined, 'there are no threads')
  assert.deepEqual(await subjectsOf({ contract }), [])
  assert.deepEqual(await subjectsOf({ contract, format: 'jsonl' }), ['format'])
  assert.deepEqual(await subjectsOf({ contract, filter: 'id > `3`' }), ['transforms'])
  assert.match(formatExplanation(await explanationOf({ contract }, 2)), /\n {2}on worker threads\n/)
  assert.match(
    formatExplanation(await explanationOf({ contract, format: 'jsonl' }, 2)),
    /on the main thread: format, messages of several records/,
  )
})
