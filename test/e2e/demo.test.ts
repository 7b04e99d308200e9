import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import kafkajs from 'kafkajs'
import { DEMO_DEPENDENCIES } from '../../src/cli/demo/dependencies.ts'
import { runDemo } from '../../src/cli/demo/demo.ts'
import { kafkaForTests } from '../support/servers/servers.ts'
import { programOf } from '../support/program.ts'

let folder = ''
let brokers: string[] = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'))
  brokers = await kafkaForTests()
})
after(() => rm(folder, { recursive: true, force: true }))

/** Runs a small demo on the test's brokers; resolves to its exit code and what it wrote. */
async function demo(name: string, parts = DEMO_DEPENDENCIES): Promise<{ code: number; text: string }> {
  const written: string[] = []
  const output = { write: (text: string): number => written.push(text) }
  const env = { KAFKA_BOOTSTRAP_SERVERS: brokers.join(',') }
  const code = await runDemo(
    { records: 12_000, badEvery: 100, folder: join(folder, name), env, output },
    parts,
  )
  return { code, text: written.join('') }
}

test('every event is a row or a dead letter, the sums are shown, and it works again at once', async () => {
  for (const run of ['first', 'second']) {
    const { code, text } = await demo('again')
    assert.equal(code, 0, `${run}: ${text}`)
    for (const part of [
      'Producing      12,000 of 12,000',
      'Carrying       12,000 of 12,000',
      /rows +11,880 {3}in the table: 11,880/,
      /dead letters +120 {3}in kafka-delta-demo-\w+-dlq: contract 48, decode 60, type 12/,
      'All counts match',
      '"event_id":"',
      'table cat',
    ]) {
      assert.ok(
        typeof part === 'string' ? text.includes(part) : part.test(text),
        `${String(part)} in ${text}`,
      )
    }
  }
  const days = (await readdir(join(folder, 'again', 'user_events'))).filter((name) =>
    name.startsWith('event_date='),
  )
  assert.ok(days.length > 0)
})

test('the topics of a demo on brokers of one’s own are deleted afterwards', async () => {
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    const topics = await admin.listTopics()
    assert.deepEqual(
      topics.filter((topic) => topic.startsWith('kafka-delta-demo')),
      [],
    )
  } finally {
    await admin.disconnect()
  }
})

test('a pipeline that loses rows is told of and ends with exit code 1', async () => {
  const { code, text } = await demo('losing', {
    run: (config, onCommit) =>
      DEMO_DEPENDENCIES.run(config, (counts) => {
        onCommit({ ...counts, rows: counts.rows - 1 })
      }),
    readTable: DEMO_DEPENDENCIES.readTable,
  })
  assert.equal(code, 1)
  assert.match(text, /MISMATCH: records read 12,000, but rows \+ dead letters/)
})

test('a folder that is no table of an earlier demo is left alone', async () => {
  const path = join(folder, 'taken', 'user_events')
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'precious.txt'), 'mine')
  await assert.rejects(demo('taken'), { code: 'KD_COMMAND_INVALID' })
  assert.deepEqual(await readdir(path), ['precious.txt'])
})

test('with Node.js alone the demo runs on the embedded broker, and one line refuses Apache Kafka', async () => {
  const bin = join(folder, 'bin')
  await mkdir(bin)
  await symlink(process.execPath, join(bin, 'node'))
  await symlink('/bin/sh', join(bin, 'sh'))
  const env = { PATH: bin, HOME: folder }
  const run = (...flags: readonly string[]): { status: number | null; stdout: string; stderr: string } => {
    const target = ['demo', '--records', '12000', '--folder', join(folder, 'node-alone'), ...flags]
    const args = [...programOf(resolve('src/cli/main.ts')), ...target]
    return spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  }
  const { status, stdout, stderr } = run()
  assert.equal(status, 0, stderr)
  assert.match(stdout, /Kafka +127\.0\.0\.1:\d+, the embedded broker; --kafka real starts Apache Kafka/)
  assert.match(stdout, /All counts match/)
  const real = run('--kafka', 'real')
  assert.equal(real.status, 3, real.stderr)
  assert.equal(real.stderr.trimEnd().split('\n').length, 1, real.stderr)
  assert.match(real.stderr, /Java.*docker compose up.*KAFKA_BOOTSTRAP_SERVERS/)
})
