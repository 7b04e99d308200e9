// Alerts, the scenarios that cause them, the metrics that they ask for, and the document that says what to do fit together.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { prometheusRule } from '../../scripts/prometheus-rule.ts'
import { TOPIC_STATES } from '../../src/service/health/readiness.ts'
import { METRICS, RUNTIME_METRICS, type MetricDefinition } from '../../src/telemetry/metrics/catalogue.ts'

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: { readonly severity?: string }
  readonly annotations?: Readonly<Record<string, string>>
}
interface Rules {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}
/** A metric that a text asks for, with the labels that it selects by. */
interface Asked {
  readonly name: string
  readonly labels: readonly string[]
}

const root = join(import.meta.dirname, '../..')
const text = await readFile(join(root, 'deploy/prometheus/alerts.yaml'), 'utf8')
const page = await readFile(join(root, 'docs/alerts.md'), 'utf8')
const scenarios = await readFile(join(root, 'deploy/prometheus/alerts.test.yaml'), 'utf8')
const rules = parse(text) as Rules
const all = rules.groups.flatMap((group) => group.rules)
const alerts = all.filter(({ alert }) => alert !== undefined)
const names = alerts.map(({ alert }) => String(alert)).sort()
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section): [string, string] => {
      const [heading = '', ...below] = section.split('\n')
      return [heading, below.join('\n')]
    }),
)

/** Labels that Prometheus adds to every series of a process. */
const OF_TARGET = ['namespace', 'job', 'instance']
/** Alerts that no test causes in a real service; a comment in the scenarios says why. */
const WITHOUT_FAULT = ['KafkaDeltaBudgetFull', 'KafkaDeltaCrashLoop', 'KafkaDeltaRecordsUnaccounted']

test('every alert has its section in docs/alerts.md, and every section its alert', () => {
  assert.deepEqual([...sections.keys()].sort(), names)
})

test('every section says what the alert means, what to run first, what causes it, and what to do', () => {
  for (const [name, section] of sections) {
    const parts = [...section.matchAll(/^- \*\*([^*]+):\*\* (\S.*(?:\n {2}.*)*)$/gm)]
    assert.deepEqual(
      parts.map(([, part]) => part),
      ['Meaning', 'First command', 'Usual causes', 'Remedy'],
      name,
    )
    for (const [, part, words = ''] of parts)
      assert.match(words, part === 'First command' ? /^`[^`]+`$/ : /[.)]$/, `${name}: ${part}`)
  }
})

test('every alert says how urgent it is, what users feel, what it is about, and where to read on', () => {
  for (const { alert = '', labels, annotations } of alerts) {
    assert.match(labels?.severity ?? '', /^(critical|warning)$/, alert)
    assert.deepEqual(Object.keys(annotations ?? {}), ['summary', 'description', 'runbook_url'], alert)
    assert.match(annotations?.['summary'] ?? '', /\w/, alert)
    const description = annotations?.['description'] ?? ''
    assert.match(description, /\w\.$/, alert)
    // Where nothing can be seen, there is nothing to name.
    if (alert !== 'KafkaDeltaAbsent')
      assert.match(description, /\$labels\.(topic|instance|name|path)\b/, alert)
    assert.equal(annotations?.['runbook_url'], `docs/alerts.md#${alert.toLowerCase()}`)
  }
})

test('links of the page lead to sections that there are', () => {
  const anchors = [...sections.keys()].map((name) => name.toLowerCase())
  for (const [, anchor = ''] of page.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.includes(anchor), anchor)
})

test('rules ask for metrics and labels that there are', () => {
  const recorded = all.flatMap(({ record }) => record ?? [])
  for (const { alert, record = alert, expr } of all) {
    for (const [name] of expr.matchAll(/\bjob_topic:[\w:]+/g)) assert.ok(recorded.includes(name), name)
    const asked = metricsIn(expr)
    const known = new Set(OF_TARGET)
    // All recorded rates are those of topics.
    if (/job_topic:/.test(expr)) known.add('topic')
    for (const { name, labels } of asked) {
      const own = labelsOf(name)
      assert.ok(own !== undefined, `${record ?? ''}: ${name}`)
      for (const label of labels) assert.ok(own.includes(label), `${record ?? ''}: ${label} of ${name}`)
      for (const label of own) known.add(label)
    }
    for (const [, list = ''] of expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g))
      for (const label of list.split(', ')) assert.ok(known.has(label), `${record ?? ''}: by ${label}`)
  }
})

test('rules ask for states that there are, and annotations for labels that the alert has', () => {
  for (const { alert = '', expr, annotations } of alerts) {
    for (const [, states = ''] of expr.matchAll(/\bstate[!=]?[=~]"([^"]+)"/g))
      for (const state of states.split('|'))
        assert.ok((TOPIC_STATES as readonly string[]).includes(state), `${alert}: ${state}`)
    const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '))
    const own = metricsIn(expr).flatMap(({ name }) => [...(labelsOf(name) ?? []), 'instance'])
    const known = kept.length > 0 ? kept : expr.includes('job_topic:') ? ['topic'] : own
    for (const [, label = ''] of JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g))
      assert.ok(known.includes(label), `${alert}: ${label}`)
  }
})

test('the page names metrics that there are', () => {
  for (const { name } of metricsIn(page).filter((metric) => metric.name !== 'up'))
    assert.ok(
      allSeries().some((series) => series.startsWith(name)),
      name,
    )
})

test('every alert fires in a scenario, and none fires that there is not', () => {
  const fired = [...scenarios.matchAll(/ALERTS\{alertname="(\w+)"/g)].map(([, name = '']) => name)
  assert.deepEqual([...new Set(fired)].sort(), names)
})

test('every alert fires from a real fault, or its scenario says why it does not', async () => {
  const real = await readFile(join(root, 'test/deploy/prometheus.test.ts'), 'utf8')
  const caused = new Set([...real.matchAll(/'(KafkaDelta\w+)'/g)].map(([, name = '']) => name))
  assert.deepEqual(
    names.filter((name) => !caused.has(name)),
    WITHOUT_FAULT,
  )
  const told = [...scenarios.matchAll(/# Not from a real fault: .*\n +- name: '[^']*(KafkaDelta\w+)/g)]
  assert.deepEqual(told.map(([, name = '']) => name).sort(), WITHOUT_FAULT)
})

test('the manifest for the Prometheus operator holds the same rules', () => {
  const { kind, spec } = parse(prometheusRule(text)) as { kind: string; spec: Rules }
  assert.equal(kind, 'PrometheusRule')
  assert.deepEqual(spec, rules)
})

function metricsIn(words: string): readonly Asked[] {
  const pattern = /(?<![\w:])((?:kafka_delta_|nodejs_|process_)\w+|up)(?![\w:(]| \w)(?:\{([^}]*)\})?/g
  return [...words.matchAll(pattern)].map(([, name = '', selected = '']) => ({
    name,
    labels: [...selected.matchAll(/(\w+)[!=]~?"/g)].map(([, label = '']) => label),
  }))
}

/** The labels of a series; `undefined` where no metric has this name. */
function labelsOf(series: string): readonly string[] | undefined {
  if (series === 'up') return OF_TARGET
  if (RUNTIME_METRICS.some((name) => name.replaceAll('.', '_') === series)) return []
  for (const [name, facts] of Object.entries<MetricDefinition>(METRICS))
    if (seriesOf(name, facts).includes(series))
      return [
        ...facts.labels.map((label) => label.replaceAll('.', '_')),
        ...(series.endsWith('_bucket') ? ['le'] : []),
      ]
  return undefined
}

function allSeries(): readonly string[] {
  const runtime = RUNTIME_METRICS.map((name) => name.replaceAll('.', '_'))
  return [
    ...runtime,
    ...Object.entries<MetricDefinition>(METRICS).flatMap(([name, facts]) => seriesOf(name, facts)),
  ]
}

/** What Prometheus calls a metric. */
function seriesOf(name: string, { kind }: MetricDefinition): readonly string[] {
  const flat = name.replaceAll('.', '_')
  if (kind === 'histogram') return ['bucket', 'sum', 'count'].map((part) => `${flat}_${part}`)
  return [kind === 'gauge' ? flat : `${flat}_total`]
}
