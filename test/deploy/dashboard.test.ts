// The dashboard is the one that its panels make, and Grafana can lay it out.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { DASHBOARD_PATH, dashboardJson } from '../../scripts/dashboard/dashboard.ts'
import { METRICS, type MetricDefinition } from '../../src/telemetry/metrics/catalogue.ts'
import { panelsOf, type Dashboard, type DashboardPanel } from '../support/dashboard.ts'

const text = await readFile(join(import.meta.dirname, '../..', DASHBOARD_PATH), 'utf8')
const dashboard = JSON.parse(text) as Dashboard

test('the file is what npm run docs makes', async () => {
  assert.equal(text, await dashboardJson())
})

test('every panel has an id of its own and a place of its own within 24 columns', () => {
  const { panels } = dashboard
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  for (const [index, panel] of panels.entries()) {
    const { x, w, h } = panel.gridPos
    assert.ok(x >= 0 && w > 0 && h > 0 && x + w <= 24, panel.title)
    for (const other of panels.slice(index + 1))
      assert.ok(!overlap(panel, other), `${panel.title} lies over ${other.title}`)
  }
})

test('every panel says what it shows and in which unit, and asks by names that are defined', () => {
  const defined = new Set(dashboard.templating.list.map(({ name }) => name))
  const panels = panelsOf(dashboard)
  assert.ok(panels.length > 30, `there are ${panels.length}`)
  for (const { title, description, fieldConfig, targets, datasource } of panels) {
    assert.match(description, /\w\.$/, title)
    assert.match(fieldConfig.defaults.unit, /\w/, title)
    assert.equal(datasource.uid, '${datasource}', title)
    assert.ok(targets.length > 0, title)
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title)
    for (const { expr } of targets)
      for (const [, name = ''] of expr.matchAll(/\$(\w+)/g))
        assert.ok(defined.has(name) || name.startsWith('__'), `${title}: $${name} is not defined`)
  }
})

test('the dashboard and the alerts ask for metrics that there are, and every metric of ours is asked for', async () => {
  const alerts = await readFile(join(import.meta.dirname, '../../deploy/prometheus/alerts.yaml'), 'utf8')
  const exprs = panelsOf(dashboard).flatMap(({ targets }) => targets.map(({ expr }) => expr))
  const asked = new Set([...exprs, alerts].flatMap((text) => text.match(/(?<![\w:])kafka_delta_\w+/g) ?? []))
  const told = Object.entries<MetricDefinition>(METRICS)
    .filter(([name]) => name.startsWith('kafka_delta.'))
    .map(([name, facts]) => ({ name, series: seriesOf(name, facts) }))
  const known = new Set(told.flatMap(({ series }) => series))
  assert.deepEqual(
    [...asked].filter((name) => !known.has(name)),
    [],
  )
  assert.deepEqual(
    told.filter(({ series }) => !series.some((each) => asked.has(each))).map(({ name }) => name),
    [],
  )
})

/** What Prometheus calls a metric. */
function seriesOf(name: string, { kind }: MetricDefinition): readonly string[] {
  const flat = name.replaceAll('.', '_')
  if (kind === 'histogram') return ['bucket', 'sum', 'count'].map((part) => `${flat}_${part}`)
  return [kind === 'gauge' ? flat : `${flat}_total`]
}

function overlap({ gridPos: a }: DashboardPanel, { gridPos: b }: DashboardPanel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}
