/** Metadata of the manifest; the operator finds it by the labels that its own `ruleSelector` asks for. */
const HEAD = `# Made from deploy/prometheus/alerts.yaml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: kafka-delta
  labels:
    app.kubernetes.io/name: kafka-delta
spec:
`

/** The rules of a Prometheus, `groups:` at the left edge, as the manifest that the Prometheus operator reads. */
export function prometheusRule(alerts: string): string {
  const lines = alerts.split('\n')
  const groups = lines.slice(lines.indexOf('groups:'))
  return HEAD + groups.map((line) => (line === '' ? '' : `  ${line}`)).join('\n')
}
