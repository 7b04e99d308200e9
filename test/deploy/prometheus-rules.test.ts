// What Prometheus's own tool says of the rules and of the configuration that docker compose mounts.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { promtool } from '../support/servers/prometheus.ts'

interface Scenarios {
  readonly tests: readonly { readonly name: string }[]
}

const folder = join(import.meta.dirname, '../../deploy/prometheus')

test('promtool takes the configuration and its rules', async () => {
  await promtool('check', 'config', join(folder, 'prometheus.yaml'))
})

test('promtool sees every alert fire in its scenario, and no other', async () => {
  await promtool('test', 'rules', join(folder, 'alerts.test.yaml'))
})

test('promtool refuses the scenarios of an alert that is gone', async () => {
  const copy = await mkdtemp(join(tmpdir(), 'rules-'))
  try {
    const rules = await readFile(join(folder, 'alerts.yaml'), 'utf8')
    await writeFile(
      join(copy, 'alerts.yaml'),
      rules.replace('kafka_delta_ready == 0', 'kafka_delta_ready == 7'),
    )
    const scenarios = parse(await readFile(join(folder, 'alerts.test.yaml'), 'utf8')) as Scenarios
    const tests = scenarios.tests.filter(({ name }) => name.includes('KafkaDeltaNotReady'))
    assert.equal(tests.length, 1)
    await writeFile(join(copy, 'alerts.test.yaml'), JSON.stringify({ ...scenarios, tests }))
    await assert.rejects(promtool('test', 'rules', join(copy, 'alerts.test.yaml')), /KafkaDeltaNotReady/)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
})
