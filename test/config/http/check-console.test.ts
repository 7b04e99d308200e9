import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'

const urlOf = (traceUrl: string): string | undefined =>
  loadConfig({ object: { console: { traceUrl } } }).console.traceUrl

test('The address of traces is a web address that says where the id belongs; it may be unset', () => {
  const url = 'http://jaeger:16686/trace/{traceId}'
  assert.equal(urlOf(url), url)
  assert.equal(loadConfig({ object: {} }).console.traceUrl, undefined)
  assert.throws(() => urlOf('http://jaeger:16686/trace/'), /console\.traceUrl: must contain \{traceId\}/)
  assert.throws(() => urlOf('javascript:alert({traceId})'), /console\.traceUrl: must start with http/)
})

test('The console is served unless http.console is false', () => {
  assert.equal(loadConfig({ object: {} }).http.console, true)
  assert.equal(loadConfig({ object: {}, env: { KAFKA_DELTA_HTTP_CONSOLE: 'false' } }).http.console, false)
})
