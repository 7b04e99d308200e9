// Alerts, the scenarios that cause them, and the document that says what to do name the same alerts.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { prometheusRule } from '../../scripts/prometheus-rule.ts'

interface Rule {
  readonly alert?: string
  readonly expr: string
  readonly labels?: { readonly severity?: string }
  readonly annotations?: { readonly summary?: string; readonly action?: string; readonly runbook?: string }
}
interface Rules {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}

const root = join(import.meta.dirname, '../..')
const text = await readFile(join(root, 'deploy/prometheus/alerts.yaml'), 'utf8')
const rules = parse(text) as Rules
const alerts = rules.groups.flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined)
const names = alerts.map(({ alert }) => String(alert)).sort()

test('every alert has its section in docs/alerts.md with something below it, and every section its alert', async () => {
  const page = await readFile(join(root, 'docs/alerts.md'), 'utf8')
  const sections = page.split(/^## /m).slice(1)
  assert.deepEqual(sections.map((section) => section.split('\n')[0]).sort(), names)
  for (const section of sections) assert.ok(section.split('\n').slice(1).join('').trim() !== '', section)
})

test('every alert says how urgent it is, what it is, what to do, and where to read on', () => {
  for (const { alert = '', labels, annotations } of alerts) {
    assert.match(labels?.severity ?? '', /^(critical|warning)$/, alert)
    assert.match(annotations?.summary ?? '', /\w/, alert)
    assert.match(annotations?.action ?? '', /\w\.$/, alert)
    assert.equal(annotations?.runbook, `docs/alerts.md#${alert.toLowerCase()}`)
  }
})

test('every alert fires in a scenario, and none fires that there is not', async () => {
  const scenarios = await readFile(join(root, 'deploy/prometheus/alerts.test.yaml'), 'utf8')
  const fired = [...scenarios.matchAll(/ALERTS\{alertname="(\w+)"/g)].map(([, name = '']) => name)
  assert.deepEqual([...new Set(fired)].sort(), names)
})

test('the manifest for the Prometheus operator holds the same rules', () => {
  const { kind, spec } = parse(prometheusRule(text)) as { kind: string; spec: Rules }
  assert.equal(kind, 'PrometheusRule')
  assert.deepEqual(spec, rules)
})
