import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '../../src/telemetry/log.ts'
import { logProcessOutput } from '../../src/telemetry/process-output.ts'

test('What libraries print is one line of JSON each, until the log is closed', () => {
  const lines: string[] = []
  const log = createLogger({
    level: 'debug',
    pretty: false,
    destination: { write: (line: string) => void lines.push(line) },
  })
  const before = Object.getOwnPropertyDescriptor(console, 'error')
  const restore = logProcessOutput(log)
  for (const name of ['log', 'info', 'debug', 'warn', 'error'] as const) console[name]('%s is\n%d', 'it', 1)
  restore()
  assert.deepEqual(Object.getOwnPropertyDescriptor(console, 'error'), before)
  assert.deepEqual(
    lines.map((line) => {
      const { level, console: method, msg } = JSON.parse(line) as Readonly<Record<string, unknown>>
      return [method, level, msg]
    }),
    [
      ['log', 'info', 'A library printed: it is\n1'],
      ['info', 'info', 'A library printed: it is\n1'],
      ['debug', 'debug', 'A library printed: it is\n1'],
      ['warn', 'warn', 'A library printed: it is\n1'],
      ['error', 'error', 'A library printed: it is\n1'],
    ],
  )
})
