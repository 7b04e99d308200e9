/** Metadata of the manifest. The Prometheus operator selects it by the labels of its own `ruleSelector`. */
const HEAD = `# Generated from deploy/prometheus/alerts.yaml by npm run manifests.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: kafka-delta
  labels:
    app.kubernetes.io/name: kafka-delta
spec:
`

/**
 * Returns the alert rules, whose `groups:` is at the top level, as a PrometheusRule manifest for the
 * Prometheus operator.
 */
export function prometheusRule(alerts: string): string {
  const lines = alerts.split('\n')
  const groups = lines.slice(lines.indexOf('groups:'))
  return HEAD + groups.map((line) => (line === '' ? '' : `  ${line}`)).join('\n')
}
