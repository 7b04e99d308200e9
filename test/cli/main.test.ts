import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { EXIT, EXIT_HELP } from '../../src/service/process/exit-codes.ts'
import { createTable } from '../../src/delta/maintenance/create.ts'
import { openTableWriter } from '../../src/delta/commit/log-writer.ts'
import { openStore } from '../../src/storage/open/open.ts'
import { programOf } from '../support/program.ts'

const ROOT = join(import.meta.dirname, '../..')
const FILES = 3_000

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command line as a process of its own. `stopReading` closes its standard output after the first chunk. */
function run(args: readonly string[], env: Record<string, string> = {}, stopReading = false): Promise<Ended> {
  const child = spawn(process.execPath, [...programOf('src/cli/main.ts'), ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece
    if (stopReading) child.stdout.destroy()
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (stderr += piece))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code, stdout, stderr })
    })
  })
}

/** Returns whether a command runs the service, which prints lines of JSON where no terminal reads them. */
function isService([command]: readonly string[]): boolean {
  return command === 'run' || command === 'ingest'
}

/** Returns the messages of lines of JSON. */
function messagesOf(lines: string): string {
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly msg: string }).msg)
    .join('\n')
}

let folder = ''
let table = ''

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kafka-delta-cli-'))
  table = join(folder, 'table')
  const store = await openStore(table)
  const field = (name: string, type: 'string' | 'long') => ({ name, type, nullable: true, metadata: {} })
  const schema = { type: 'struct' as const, fields: [field('id', 'long'), field('day', 'string')] }
  await createTable(store, { schema, partitionColumns: ['day'], configuration: {} })
  const writer = await openTableWriter(store)
  const adds = Array.from({ length: FILES }, (_, index) => ({
    path: `day=${index}/part-${String(index).padStart(5, '0')}.parquet`,
    partitionValues: { day: String(index) },
    size: 1000,
    modificationTime: 1,
    dataChange: true,
    stats: '{"numRecords":10}',
  }))
  const txns = [10, 2].map((partition) => ({
    appId: `app-${partition}`,
    version: 9_007_199_254_740_993n,
    lastUpdated: 1,
    follows: undefined,
  }))
  // The id begins with 10 bytes of 0x12.
  const topicId = { appId: 'app-topic-id', version: 0x1212121212121212n >> 1n, follows: undefined }
  const operationMetrics = { numFiles: String(FILES) }
  await writer.append({ adds, txns: [...txns, topicId], operationParameters: {}, operationMetrics })
  await store.close()
})
after(() => {
  rmSync(folder, { recursive: true })
})

describe('help', () => {
  for (const command of [
    [],
    ['run'],
    ['validate'],
    ['demo'],
    ['load'],
    ['table'],
    ['table', 'show'],
    ['table', 'history'],
    ['table', 'files'],
    ['table', 'cat'],
    ['table', 'checkpoint'],
    ['table', 'optimize'],
    ['table', 'vacuum'],
    ['table', 'restore'],
    ['table', 'create'],
    ['table', 'properties'],
    ['table', 'properties', 'set'],
    ['table', 'verify'],
  ]) {
    it(`kafka-delta ${command.join(' ')} --help shows usage, examples and exit codes`, async () => {
      const { code, stdout, stderr } = await run([...command, '--help'])
      assert.equal(code, EXIT.ok)
      assert.equal(stderr, '')
      assert.match(stdout, new RegExp(`^Usage: kafka-delta ${command.join(' ')}`))
      assert.match(stdout, /\nExamples:\n {2}\S/)
      assert.ok(stdout.includes(EXIT_HELP))
    })
  }

  it('the help lists every exit code once', () => {
    const named = [...EXIT_HELP.matchAll(/^ {2}(\d) /gm)].map((match) => Number(match[1]))
    assert.deepEqual(named, Object.values(EXIT))
  })

  it('--version prints the version of the package', async () => {
    const { code, stdout } = await run(['--version'])
    assert.equal(code, EXIT.ok)
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  })
})

describe('usage errors', () => {
  for (const [args, expected] of [
    [['rnu'], /unknown command 'rnu'\n\(Did you mean run\?\)/],
    [['run', '--untl', 'latest'], /unknown option '--untl'\n\(Did you mean --until\?\)/],
    [['run', '--until', 'tomorrow'], /It must be latest/],
    [['table', 'show'], /missing required argument 'uri'/],
    [['table', 'show', 'x', '--version', '-1'], /It must be a whole number from 0/],
    [
      ['run', '--set', 'kafka.brokres=x'],
      /kafka\.brokres: unknown key; the nearest known one is kafka\.brokers/,
    ],
    [['run'], /does not start: topics: must have at least one entry/],
    [['validate'], /KD_CONFIG_INVALID .*\n {2}topics: must have at least one entry/],
    [
      ['run', '--set', 'topics.events.table.uri=x', '--topic', 'evnts'],
      /--topic evnts .* nearest one is events/,
    ],
    [
      ['validate', '--set', 'topics.a b.table.uri=~/x'],
      /topics\.a b\.topic: must consist of ASCII letters.*\n.*topics\.a b\.table\.uri: must be a path without "~"/,
    ],
    [
      ['run', '--set', 'topics.a b.table.uri=hdfs://a/x'],
      /topics\.a b\.topic: must consist of ASCII letters.*\n.*topics\.a b\.table\.uri: .*not with hdfs:/,
    ],
    [
      ['ingest', 'a b', 'dbfs:/x', '-e', '--dlq_table_location', 's3://'],
      /topics\.ingest\.topic: must consist.*\n.*table\.uri: .*not with dbfs:.*\n.*deadLetters\.table: must be s3:/,
    ],
    [['dlq', 'list', '--from-topic', 'a b'], /--from-topic must consist of ASCII letters/],
    [['dlq', 'list', '--table', 'C:\\x'], /the location of a table must be a path of this system/],
    [['table', 'show', '~/x'], /the location of a table must be a path without "~"/],
    [
      ['table', 'create', 's3:/x', '--from-contract', 'schemas/user-events.schema.json'],
      /the location of a table must be s3:/,
    ],
  ] as const) {
    it(`kafka-delta ${args.join(' ')} exits with ${EXIT.usage} and says why on stderr, without a stack`, async () => {
      const { code, stdout, stderr } = await run(args)
      assert.equal(code, EXIT.usage)
      assert.equal(stdout, '')
      assert.match(isService(args) ? messagesOf(stderr) : stderr, expected)
      assert.doesNotMatch(stderr, /^\s+at /m)
    })
  }

  it('with LOG_LEVEL=debug the stack is shown', async () => {
    const { stderr } = await run(['validate'], { LOG_LEVEL: 'debug' })
    assert.match(stderr, /^\s+at /m)
  })
})

describe('validate', () => {
  it('shows the table with the columns of the contract, the Kafka columns and the derived columns', async () => {
    const { code, stdout } = await run(['validate', '--config', 'config/examples/s3.json', '--json'])
    assert.equal(code, EXIT.ok)
    const [plan] = JSON.parse(stdout) as [{ schema: { fields: { name: string; type: unknown }[] } }]
    const types = Object.fromEntries(plan.schema.fields.map((field) => [field.name, field.type]))
    assert.equal(types['user_id'], 'long')
    assert.equal(types['_kafka_offset'], 'long')
    assert.equal(types['event_date'], 'date')
  })

  it('refuses a binary partition column, as the start would', async () => {
    const contract = join(folder, 'binary.schema.json')
    const properties = { id: { type: 'integer' }, raw: { type: 'string', contentEncoding: 'base64' } }
    writeFileSync(contract, JSON.stringify({ type: 'object', properties }))
    const config = join(folder, 'binary.json')
    const partitioned = { uri: join(folder, 'binary-table'), partitionColumns: ['raw'] }
    writeFileSync(config, JSON.stringify({ topics: { a: { contract, table: partitioned } } }))
    const { code, stderr } = await run(['validate', '--config', config])
    assert.equal(code, EXIT.usage)
    assert.match(stderr, /table\.partitionColumns: "raw" has the type binary; neither binary nor nested/)
  })

  it('lists the faults of every topic, including those of contracts', async () => {
    const contract = join(folder, 'bad.schema.json')
    writeFileSync(contract, '{"type": "object", "properties": {"a": {"type": ["string", "integer"]}}}')
    const good = join(ROOT, 'schemas/user-events.schema.json')
    const config = join(folder, 'bad.json')
    const derive = { d: 'date(millis(country))', e: 'date(nothing)' }
    const uri = { uri: 's3://lake/x', partitionColumns: ['z'] }
    writeFileSync(
      config,
      JSON.stringify({ topics: { a: { contract, table: uri }, b: { contract: good, derive, table: uri } } }),
    )
    const { code, stderr, stdout } = await run(['validate', '--config', config])
    assert.equal(code, EXIT.usage)
    assert.equal(stdout, '')
    assert.match(stderr, /KD_CONTRACT_INVALID/)
    assert.match(
      stderr,
      /topics\.b\.derive\.d: expected an integer, long or double column, but country is string/,
    )
    assert.match(stderr, /topics\.b\.derive\.e: expected a column named nothing, but there is none/)
    assert.match(stderr, /topics\.b\.table\.partitionColumns: "z" is not a column/)
  })
})

describe('files', () => {
  it('a byte order mark at the start of the configuration and of its contract is ignored', async () => {
    const contract = join(folder, 'marked.schema.json')
    writeFileSync(contract, '\ufeff{"type": "object", "properties": {"a": {"type": "string"}}}')
    const config = join(folder, 'marked.json')
    writeFileSync(
      config,
      `\ufeff${JSON.stringify({ topics: { a: { contract, table: { uri: 's3://lake/x' } } } })}`,
    )
    const { code, stdout, stderr } = await run(['validate', '--config', config])
    assert.equal(code, EXIT.ok, stderr)
    assert.match(stdout, /^ {2}a +string$/m)
  })

  it('a table where no folder can be made fails at once', async () => {
    const contract = join(folder, 'plain.schema.json')
    writeFileSync(contract, '{"type": "object", "properties": {"a": {"type": "string"}}}')
    const { code, stderr } = await run(['table', 'create', '/proc/x', '--from-contract', contract])
    assert.equal(code, EXIT.failed)
    assert.match(stderr, /KD_STORE_FAILED .*could not write the file/)
  })
})

describe('table', () => {
  it('show --json describes the table, with offsets as exact numbers', async () => {
    const { code, stdout } = await run(['table', 'show', table, '--json'])
    assert.equal(code, EXIT.ok)
    assert.match(stdout, /"app-10": 9007199254740993\b/)
    const shown = JSON.parse(stdout) as Record<string, unknown>
    assert.equal(shown['version'], 1)
    assert.equal(shown['files'], FILES)
    assert.equal(shown['rows'], 10 * FILES)
    assert.equal(shown['bytes'], 1000 * FILES)
    assert.deepEqual(shown['partitionColumns'], ['day'])
    assert.deepEqual(Object.keys(shown['txns'] as object), ['app-2', 'app-10'])
    assert.deepEqual(shown['topicIds'], { app: 'EhISEhISEh' })
    const text = await run(['table', 'show', table])
    assert.match(text.stdout, /^app-10 +9007199254740993$/m)
    assert.match(text.stdout, /^app +EhISEhISEh…$/m)
  })

  it('show --version shows an older version of the table', async () => {
    const { stdout } = await run(['table', 'show', table, '--version', '0'])
    assert.match(stdout, /^version +0$/m)
    assert.match(stdout, /^files +0$/m)
    assert.match(stdout, /^day +string +yes$/m)
    assert.doesNotMatch(stdout, /app-/)
  })

  it('history lists every commit, latest first, with its metrics', async () => {
    const { code, stdout } = await run(['table', 'history', table, '--json'])
    assert.equal(code, EXIT.ok)
    const entries = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual(
      entries.map((entry) => entry['version']),
      [1, 0],
    )
    assert.deepEqual(entries[0]?.['operationMetrics'], { numFiles: String(FILES) })
    assert.match(String(entries[0]['time']), /^\d{4}-\d\d-\d\dT.*Z$/)
  })

  it('history --limit stops early', async () => {
    const { stdout } = await run(['table', 'history', table, '--limit', '1'])
    assert.equal(stdout.trim().split('\n').length, 1)
    assert.match(stdout, new RegExp(`^ +1 .* numFiles=${FILES}$`, 'm'))
  })

  it('files --json prints one object per file', async () => {
    const { stdout } = await run(['table', 'files', table, '--json'])
    const lines = stdout.trim().split('\n')
    assert.equal(lines.length, FILES)
    const last = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>
    assert.deepEqual(last, {
      path: `day=${FILES - 1}/part-0${FILES - 1}.parquet`,
      bytes: 1000,
      rows: 10,
      partitionValues: { day: String(FILES - 1) },
      modifiedMs: 1,
    })
  })

  it('a reader that closes the pipe early, such as head, is not a failure', async () => {
    const { code, stderr } = await run(['table', 'files', table, '--json'], {}, true)
    assert.equal(code, EXIT.ok)
    assert.equal(stderr, '')
  })

  it('a missing table makes the command fail with a message', async () => {
    const { code, stderr } = await run(['table', 'show', join(folder, 'nothing')])
    assert.equal(code, EXIT.failed)
    assert.match(stderr, /^error: KD_TABLE_MISSING /)
  })

  it('a version that does not exist is a usage error', async () => {
    const { code, stderr } = await run(['table', 'files', table, '--version', '7'])
    assert.equal(code, EXIT.usage)
    assert.match(stderr, /the newest version is 1/)
  })
})
