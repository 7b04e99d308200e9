import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { createLogger } from '../../src/telemetry/log.ts'
import { logProcessWarnings } from '../../src/telemetry/process-warnings.ts'

test('A warning of the process is one line of JSON, until the log is closed', async () => {
  const lines: string[] = []
  const log = createLogger({
    level: 'info',
    pretty: false,
    destination: { write: (line: string) => void lines.push(line) },
  })
  const before = process.listeners('warning')
  const stop = logProcessWarnings(log)
  const warned = once(process, 'warning')
  process.emitWarning('10 listeners added', { type: 'MaxListenersExceededWarning', code: 'MANY' })
  await warned
  assert.deepEqual(process.listeners('warning').length, 1, 'nothing else prints it')
  stop()
  assert.deepEqual(process.listeners('warning'), before)
  const [line] = lines.map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>)
  assert.equal(lines.length, 1)
  assert.equal(line?.['level'], 'warn')
  assert.equal(line['warning'], 'MaxListenersExceededWarning')
  assert.equal(line['code'], 'MANY')
  assert.equal(line['msg'], 'Warning of the process: 10 listeners added')
})
