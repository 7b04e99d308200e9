import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { PipelineError, type ErrorCode } from '../../src/core/errors.ts'
import { isOutage, OUTAGE_RULES } from '../../src/resilience/outages.ts'

const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
const unreachable = new PipelineError('KD_KAFKA_UNREACHABLE', 'no')

test('An error is an outage by its code, by what has worked before, or by its cause', () => {
  const made = (code: ErrorCode, options: { cause?: unknown; retryable?: boolean } = {}): PipelineError =>
    new PipelineError(code, 'no', {}, options)
  for (const [error, atStart, afterwards] of [
    [made('KD_KAFKA_UNREACHABLE'), true, true],
    [made('KD_STORE_UNAVAILABLE'), true, true],
    [made('KD_STORE_BLOCKED'), true, true],
    [made('KD_KAFKA_AUTH_FAILED'), false, true],
    [made('KD_KAFKA_TLS_FAILED'), false, true],
    [made('KD_KAFKA_FORBIDDEN'), false, true],
    [made('KD_TOPIC_MISSING'), false, true],
    [made('KD_REGISTRY_FAILED', { retryable: false }), false, true],
    [made('KD_REGISTRY_FAILED'), true, true],
    [made('KD_SOURCE_FAILED'), true, true],
    [made('KD_SOURCE_FAILED', { cause: reset }), true, true],
    [made('KD_SOURCE_FAILED', { cause: new TypeError('a bug') }), false, false],
    [made('KD_DEAD_LETTERS_FAILED'), false, false],
    [made('KD_DEAD_LETTERS_FAILED', { cause: unreachable }), true, true],
    [made('KD_STORE_FAILED'), false, false],
    [made('KD_TABLE_CORRUPT'), false, false],
    [made('KD_COMMIT_CONTENDED'), false, false],
    [reset, true, true],
    [new TypeError('a bug'), false, false],
    ['thrown', false, false],
  ] as const)
    assert.deepEqual([isOutage(error, false), isOutage(error, true)], [atStart, afterwards], String(error))
})

test('docs/resilience.md lists every error that may be an outage', async () => {
  const text = await readFile(new URL('../../docs/resilience.md', import.meta.url), 'utf8')
  const rows = text.slice(text.indexOf('## Outages and failures')).split('\n## ')[0] ?? ''
  const listed = [...rows.matchAll(/^\| `(KD_\w+)`\s+\| (\S+)/gm)].map(([, code, rule]) => [code, rule])
  assert.deepEqual(Object.fromEntries(listed), OUTAGE_RULES)
})
