import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BROKER_ERRORS,
  errorNameOf,
  isMetadataStale,
  isRetriable,
} from '../../../src/kafka/wire/error-codes.ts'
import { errorsOfJava } from './support/java.ts'

test("Error codes have the names and the flags that Kafka's own classes give them", async () => {
  const lines = await errorsOfJava()
  assert.ok(lines.length > 100)
  for (const line of lines) {
    const [code, name] = line.split(' ')
    const flags = `${isRetriable(Number(code))} ${isMetadataStale(Number(code))}`
    assert.equal(`${code ?? ''} ${errorNameOf(Number(code))} ${flags}`, line, name)
  }
})

test('An unknown code is named by its number and is not retriable', () => {
  assert.equal(errorNameOf(9999), 'ERROR_9999')
  assert.equal(isRetriable(9999), false)
  assert.equal(isMetadataStale(9999), false)
})

test('No code has two names', () => {
  const codes = Object.values(BROKER_ERRORS).map(({ code }) => code)
  assert.equal(new Set(codes).size, codes.length)
})
