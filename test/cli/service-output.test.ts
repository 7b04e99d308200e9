// Goal: without a terminal, everything that the service prints is a line of JSON, however it fails.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { EXIT } from '../../src/service/process/exit-codes.ts'
import { isOutputJson } from '../../src/cli/output.ts'
import { programOf } from '../support/program.ts'

const ROOT = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-output-'))
after(() => rmSync(folder, { recursive: true, force: true }))

type Line = Readonly<Record<string, unknown>>

/** Runs the service to its end and returns every line of both streams, all of which must be JSON. */
async function linesOf(
  args: readonly string[],
  { env = {}, imports = [] }: { readonly env?: Record<string, string>; readonly imports?: string[] } = {},
): Promise<{ readonly code: number | null; readonly lines: readonly Line[] }> {
  const flags = imports.flatMap((path) => ['--import', path])
  const child = spawn(process.execPath, [...flags, ...programOf('src/cli/main.ts'), ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const lines = text.split('\n').filter((line) => line !== '')
  return {
    code,
    lines: lines.map((line) => {
      try {
        return JSON.parse(line) as Line
      } catch {
        assert.fail(`expected JSON, got ${JSON.stringify(line)}`)
      }
    }),
  }
}

function moduleOf(name: string, source: string): string {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(path, source)
  return path
}

test('each fault of the configuration is one line with its key and its topic', async () => {
  const { code, lines } = await linesOf([
    'run',
    ...['--set', 'kafka.brokres=x', '--config', join(folder, 'none.json')],
    ...['--set', 'topics.my.entry.topic=orders', '--set', 'topics.my.entry.table.uri=hdfs://a/x'],
    ...['--set', 'topics.a b.table.uri=/tmp/x'],
  ])
  assert.equal(code, EXIT.usage)
  assert.deepEqual(
    lines.map(({ level, code: error, key, topic }) => [level, error, key, topic]),
    [
      ['error', 'KD_CONFIG_INVALID', undefined, undefined],
      ['error', 'KD_CONFIG_INVALID', 'kafka.brokres', undefined],
      ['error', 'KD_CONFIG_INVALID', 'topics.my.entry.table.uri', 'orders'],
      ['error', 'KD_CONFIG_INVALID', 'topics.a b.topic', 'a b'],
    ],
  )
  for (const { fault, msg } of lines) {
    assert.ok(typeof fault === 'string' && fault.length > 10)
    assert.equal(msg, `The configuration has a fault, the service does not start: ${fault}`)
  }
})

test('a fault of the command line is one line', async () => {
  for (const args of [
    ['run', '--untl', 'latest'],
    ['run', 'what'],
    ['ingest', '--nope'],
    ['run', '--topic', 'b', '--set', 'topics.a.table.uri=/tmp/x'],
    ['ingest', 'orders'],
  ]) {
    const { code, lines } = await linesOf(args)
    assert.equal(code, EXIT.usage, args.join(' '))
    assert.deepEqual(
      lines.map(({ level, code: error }) => [level, error]),
      [['error', 'KD_COMMAND_INVALID']],
      args.join(' '),
    )
  }
})

test('warnings, output of libraries and an uncaught error before the service runs are lines too', async () => {
  const early = moduleOf(
    'early',
    `const wait = setInterval(() => {
      if (process.listenerCount('uncaughtException') === 0) return
      clearInterval(wait)
      process.emitWarning('many listeners', 'MaxListenersExceededWarning')
      console.error('panicked at %s', 'lib.rs')
      setImmediate(() => { throw new TypeError('a bug') })
    }, 1)`,
  )
  const { code, lines } = await linesOf(
    ['run', '--set', `topics.t.table.uri=${join(folder, 't')}`, '--set', 'kafka.brokers=["127.0.0.1:1"]'],
    { imports: [early] },
  )
  assert.equal(code, EXIT.uncaught)
  assert.equal(lines.at(-1)?.['level'], 'fatal')
  assert.match(String(lines.at(-1)?.['msg']), /a bug/)
})

test('warnings, output of libraries, rejections and errors of a running service are lines', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as { readonly port: number }
  const options = [
    ...['--set', `topics.t.table.uri=${join(folder, 't')}`, '--set', 'kafka.brokers=["127.0.0.1:1"]'],
    ...['--set', 'http.host=127.0.0.1'],
  ]
  const many = join(folder, 'many.json')
  const uri = join(folder, 'many')
  const topics = Array.from({ length: 300 }, (_, index) => [`topic-${index}`, { table: { uri } }])
  writeFileSync(many, JSON.stringify({ topics: Object.fromEntries(topics) as object }))
  const bound = await linesOf(['run', '--config', many, ...options, '--set', `http.port=${port}`])
  taken.close()
  assert.equal(bound.code, EXIT.usage)
  assert.equal(bound.lines.at(-1)?.['code'], 'KD_CONFIG_INVALID')
  // The line at the start does not grow with the number of topics.
  const start = bound.lines.find(({ msg }) => msg === 'Starting kafka-delta') ?? assert.fail()
  assert.ok(JSON.stringify(start).length < 4_000)
  const { count, first } = start['topics'] as { readonly count: number; readonly first: readonly string[] }
  assert.equal(count, 301)
  assert.equal(first.length, 10)

  const late = moduleOf(
    'late',
    `const wait = setInterval(() => {
      if (process.listenerCount('unhandledRejection') === 0) return
      clearInterval(wait)
      process.emitWarning('many listeners', 'MaxListenersExceededWarning')
      console.error('panicked at %s', 'lib.rs')
      setTimeout(() => void Promise.reject(new TypeError('a bug')), 100)
    }, 1)`,
  )
  const { code, lines } = await linesOf(['run', ...options], { imports: [late] })
  assert.equal(code, EXIT.uncaught)
  const messages = lines.map(({ msg }) => msg)
  assert.ok(messages.includes('Warning of the process: many listeners'))
  assert.ok(messages.includes('A library printed: panicked at lib.rs'))
  assert.equal(lines.at(-1)?.['level'], 'fatal')
})

test('the error line at the end has the topic that failed', async () => {
  const { code, lines } = await linesOf([
    'run',
    ...['--set', 'kafka.brokers=["127.0.0.1:1"]', '--set', 'topics.entry.topic=orders'],
    ...['--set', 'topics.entry.table.uri=/proc/nothing', '--set', 'topics.entry.restart.attempts=1'],
    ...['--set', 'topics.entry.contract=schemas/user-events.schema.json'],
  ])
  assert.notEqual(code, EXIT.ok)
  assert.equal(lines.at(-1)?.['level'], 'error')
  assert.equal(lines.at(-1)?.['topic'], 'orders')
})

test('a terminal, other commands and help have text', () => {
  const argv = (...words: string[]): string[] => ['node', 'main.js', ...words]
  assert.equal(isOutputJson(argv('run'), false), true)
  assert.equal(isOutputJson(argv('ingest', 'a', 'b'), false), true)
  assert.equal(isOutputJson(argv('run'), true), false)
  for (const words of [
    ['validate'],
    ['run', '--help'],
    ['ingest', '--print_config'],
    ['table', 'show', 'run'],
  ])
    assert.equal(isOutputJson(argv(...words), false), false, words.join(' '))
})
