import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isReady, type Readiness } from '../../../src/service/health/readiness.ts'
import { READINESS_FACTS, TOPIC_STATE_FACTS } from '../../../src/service/health/states.ts'

test('The alerts of each state exist', () => {
  const rules = readFileSync('deploy/prometheus/alerts.yaml', 'utf8')
  const names = new Set([...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name))
  const missing = Object.values(TOPIC_STATE_FACTS)
    .flatMap(({ alerts }) => alerts)
    .filter((alert) => !names.has(alert))
  assert.deepEqual(missing, [])
})

test('A state without trouble needs no alert but that of a pause, and each state with trouble has one', () => {
  for (const [state, { isHealthy, alerts }] of Object.entries(TOPIC_STATE_FACTS))
    assert.equal(alerts.length > 0, !isHealthy || state === 'paused', state)
})

test('The page and the endpoints agree about which readiness counts as ready', () => {
  for (const [readiness, facts] of Object.entries(READINESS_FACTS))
    assert.equal(facts.isReady, isReady(readiness as Readiness), readiness)
})
