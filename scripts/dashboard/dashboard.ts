import { format } from 'prettier'
import { laidOut } from './panel.ts'
import { ROWS } from './rows.ts'

/** Path of the dashboard, relative to the root of the project. */
export const DASHBOARD_PATH = 'deploy/grafana/dashboard.json'

/** Latest schema version of Grafana 11.6; later releases migrate it when they load the dashboard. */
const SCHEMA_VERSION = 41
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }

/** Returns the Grafana dashboard as stored in `DASHBOARD_PATH`. */
export async function dashboardJson(): Promise<string> {
  const dashboard = {
    uid: 'kafka-delta',
    title: 'kafka-delta',
    description:
      'Kafka topics on their way into Delta Lake tables: throughput, lag, failures and their causes.',
    tags: ['kafka', 'delta-lake'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timepicker: {},
    timezone: 'browser',
    annotations: { list: [firingAlerts()] },
    links: [],
    templating: { list: [datasource(), ...['namespace', 'job', 'instance'].map(ofProcesses), topics()] },
    panels: laidOut(ROWS),
  }
  return await format(JSON.stringify(dashboard), { parser: 'json', printWidth: 110 })
}

function firingAlerts(): object {
  return {
    name: 'Alerts',
    datasource: DATASOURCE,
    enable: true,
    iconColor: 'red',
    expr: 'ALERTS{alertname=~"KafkaDelta.*",alertstate="firing"}',
    titleFormat: '{{alertname}}',
    textFormat: '{{topic}} {{instance}}',
  }
}

function datasource(): object {
  return {
    name: 'datasource',
    label: 'Prometheus',
    type: 'datasource',
    query: 'prometheus',
    hide: 0,
    refresh: 1,
  }
}

function ofProcesses(label: string): object {
  return variable(label, `label_values(kafka_delta_ready, ${label})`)
}

function topics(): object {
  return variable('topic', 'label_values(kafka_delta_topic_state{job=~"$job",instance=~"$instance"}, topic)')
}

function variable(name: string, query: string): object {
  return {
    name,
    label: name,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    // Also matches series without the label: outside Kubernetes there are no namespaces.
    allValue: '.*',
    includeAll: true,
    multi: true,
    current: { text: ['All'], value: ['$__all'] },
    hide: 0,
    refresh: 2,
    sort: 1,
  }
}
