import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}

/** Returns the names of the metrics of the service that an alert's expression reads, those of recorded series included. */
export function metricsOfAlert(name: string): readonly string[] {
  const rule = rules().find(({ alert }) => alert === name)
  if (rule === undefined) throw new Error(`There is no alert ${name}`)
  return metricsOf(rule.expr)
}

function metricsOf(expr: string): readonly string[] {
  const recorded = rules().filter(({ record }) => record !== undefined && expr.includes(record))
  const text = recorded.reduce((rest, { record = '' }) => rest.replaceAll(record, ''), expr)
  const own = [...text.matchAll(/\b(?:kafka_delta|nodejs|v8js)_\w+/g)].map(([metric]) => metric)
  return [...new Set([...own, ...recorded.flatMap((rule) => metricsOf(rule.expr))])]
}

function rules(): readonly Rule[] {
  const { groups } = parse(readFileSync('deploy/prometheus/alerts.yaml', 'utf8')) as Rules
  return groups.flatMap((group) => group.rules)
}
