// Goal: code of a user runs in the command as it is shipped and in a program: with the modules of that process, metrics, states.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { createTopic } from '../../src/kafka/client/admin.ts'
import { findFreePorts } from '../../src/local-servers/process.ts'
import kafkajs from 'kafkajs'
import { startWorker } from '../integrity/support/worker.ts'
import { programOf } from '../support/program.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'
import { outputOf, PROGRAM } from './support/carry.ts'

const brokers = await kafkaForTests()
const folder = await mkdtemp(join(tmpdir(), 'operators-'))
const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
const producer = kafka.producer()
await producer.connect()
after(async () => {
  await producer.disconnect()
  await rm(folder, { recursive: true, force: true })
})
await writeFile(
  join(folder, 'contract.json'),
  JSON.stringify({ type: 'object', properties: { id: { type: 'integer' } } }),
)
await writeFile(
  join(folder, 'operators.mjs'),
  `import { defineOperators, filterRows, PipelineError } from 'kafka-delta'
import { Observable, tap } from 'rxjs'
 export default defineOperators(({ topic, log, meter }) => {
  const batches = meter.createCounter('my_batches', { description: 'Batches of rows' })
  log.warn('made in the process')
  return {
    rows: [
      filterRows((row) => row.id !== 2),
      (source) => {
        if (!(source instanceof Observable)) throw new TypeError('another RxJS')
        return source.pipe(tap(() => batches.add(1, { kind: 'all' })))
      },
      tap(({ payload }) => {
        if (topic.endsWith('coded')) throw new PipelineError('KD_PARQUET_FAILED', 'by its code')
        if (topic.endsWith('bad')) throw new RangeError('not this topic')
      }),
    ],
  }
})
`,
)

/** Creates a topic for each entry, with three records in it, and returns the configuration with their operators. */
async function configured(
  name: string,
  entries: readonly string[],
  options: object = {},
): Promise<{ config: object; port: number }> {
  const prefix = nameForTests(name)
  const [port = 0] = await findFreePorts(1)
  const topics: Record<string, object> = {}
  for (const entry of entries) {
    const topic = `${prefix}-${entry}`
    await createTopic({ brokers, clientId: 'test' }, topic, { partitions: 1 })
    await producer.send({ topic, messages: [1, 2, 3].map((id) => ({ value: JSON.stringify({ id }) })) })
    topics[entry] = {
      topic,
      contract: './contract.json',
      operators: './operators.mjs',
      table: { uri: `./${prefix}/${entry}` },
      flush: { ageMs: 100 },
      ...options,
    }
  }
  const group = { groupId: prefix, sessionTimeoutMs: 6_000, heartbeatMs: 500 }
  return { config: { kafka: { brokers, ...group }, http: { port }, topics }, port }
}

async function saved(name: string, config: object): Promise<string> {
  const file = join(folder, `${name}.json`)
  await writeFile(file, JSON.stringify(config))
  return file
}

/** Asks an endpoint until its answer satisfies `isDone`. */
async function textUntil(url: string, isDone: (text: string) => boolean): Promise<string> {
  for (let asked = 0; asked < 600; asked++) {
    const text = await fetch(url).then(
      (answer) => answer.text(),
      () => '',
    )
    if (isDone(text)) return text
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error(`waited in vain for ${url}`)
}

test('The command runs the operators of a file with its own library and RxJS, metrics, and failures with their place', async () => {
  const { config, port } = await configured('operators', ['good', 'bad', 'coded'])
  const file = await saved('operators', config)
  const worker = startWorker(PROGRAM, ['run', '--config', file])
  try {
    const url = `http://127.0.0.1:${port}`
    const metrics = await textUntil(`${url}/metrics`, (text) => /my_batches_total\{.*good"/.test(text))
    assert.match(metrics, /my_batches_total\{[^}]*kind="all"[^}]*topic="[^"]*-good"/)
    const status = await textUntil(
      `${url}/status`,
      (text) => text.includes('KD_OPERATOR_FAILED') && text.includes('KD_PARQUET_FAILED'),
    )
    assert.match(status, /RangeError: not this topic/)
    assert.match(status, /operators\.mjs:15:\d+/)
    await textUntil(`${url}/metrics`, (text) => /stage_duration\w*\{[^}]*stage="operators"/.test(text))
  } finally {
    worker.kill('SIGTERM')
    await worker.ended
  }
  const made = worker.lines.filter((line) => line.includes('made in the process'))
  assert.equal(made.length, 3)
  assert.match(made[0] ?? '', /"topic":"/)
  const { topics } = config as {
    topics: Readonly<Record<string, { readonly table: { readonly uri: string } }>>
  }
  const rows = await outputOf(['table', 'cat', join(folder, topics['good']?.table.uri ?? '')])
  assert.deepEqual(rows.map((line) => (JSON.parse(line) as { id: number }).id).sort(), [1, 3])
})

test('Operators in TypeScript run where Node strips types, and are refused with what to do elsewhere', async () => {
  const { config } = await configured('typescript', ['events'], { operators: './operators.mts' })
  await writeFile(
    join(folder, 'operators.mts'),
    `import { defineOperators } from 'kafka-delta'
const rows: never[] = []
 export default defineOperators(() => ({ rows }))
`,
  )
  const file = await saved('typescript', config)
  const worker = startWorker(PROGRAM, ['run', '--config', file, '--until', 'latest'])
  const code = await worker.ended
  const text = worker.lines.join('\n')
  const strips = (process.features as { readonly typescript?: unknown }).typescript
  // From sources, the command itself runs with a loader of TypeScript.
  if (strips !== undefined && strips !== false) assert.equal(code, 0, text)
  else if (PROGRAM.includes('tsx')) assert.equal(code, 0, text)
  else {
    assert.equal(code, 2, text)
    assert.match(text, /operators\.mts is TypeScript, which Node \d+\.\d+\.\d+ does not run: use Node 22\.18/)
  }
})

test('A program runs the service with operators of its own and gets the exit code', async () => {
  const { config, port } = await configured('program', ['events', 'others'], { operators: undefined })
  const file = await saved('program', config)
  const own = programOf(resolve('src/index.ts'))
  const library = pathToFileURL(own.at(-1) ?? '').href
  const service = pathToFileURL(programOf(resolve('src/entries/service.ts')).at(-1) ?? '').href
  const program = join(folder, 'program.mjs')
  await writeFile(
    program,
    `import { loadConfig, runService } from ${JSON.stringify(service)}; import { filterRows } from ${JSON.stringify(library)}
const config = loadConfig({ files: [${JSON.stringify(file)}] })
const fail = (rows) => { throw new Error('not at all') }
const operators = { events: filterRows(({ id }) => id > 2), ...(process.argv[2] === 'fail' ? { others: fail } : {}) }
process.exitCode = await runService(config, { operators, until: process.argv[2] === 'fail' ? 'latest' : 'stopped' })
`,
  )
  const start = ['node', ...own.slice(0, -1), program]
  const worker = startWorker(start, [])
  await textUntil(
    `http://127.0.0.1:${port}/status`,
    (text) => /"rows":\s*1\b/.test(text) && /"rows":\s*3\b/.test(text),
  )
  worker.kill('SIGTERM')
  assert.equal(await worker.ended, 0, worker.lines.join('\n'))
  assert.ok(worker.lines.some((line) => line.includes('Topic finished')))
  const failing = startWorker(start, ['fail'])
  assert.equal(await failing.ended, 1, failing.lines.join('\n'))
  assert.ok(
    failing.lines.some((line) => line.includes('KD_OPERATOR_FAILED') && line.includes('program.mjs:3:')),
  )
})
