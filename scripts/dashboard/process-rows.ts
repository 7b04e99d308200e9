import type { Row } from './panel.ts'
import { ofProcess, ofTopic, one, perSecond, series } from './select.ts'

/** Shows the bytes that processes hold between Kafka and the tables. */
export const BUDGET: Row = {
  title: 'Budget and memory',
  panels: [
    series({
      title: 'Byte budget of the process',
      description:
        'Bytes held between Kafka and the tables, and their limit. At the limit, reading pauses until flushes are committed.',
      unit: 'bytes',
      queries: [
        { expr: `sum by (instance) (${ofProcess('kafka_delta_budget')})`, legend: '{{instance}}' },
        { expr: `sum by (instance) (${ofProcess('kafka_delta_budget_max')})`, legend: '{{instance}} limit' },
      ],
    }),
    series({
      title: 'Buffered by topic',
      description: 'Bytes of each topic between Kafka and the table, as a share of its limit.',
      unit: 'percentunit',
      queries: one(
        `max by (topic, instance) (${ofTopic('kafka_delta_buffered')} / ${ofTopic('kafka_delta_buffered_max')})`,
        '{{topic}} on {{instance}}',
      ),
      thresholds: [{ from: 0.95, color: 'orange' }],
    }),
    series({
      title: 'Resident memory',
      description: 'Memory of the whole process, including Node.js itself and the Parquet writer.',
      unit: 'bytes',
      queries: one(`sum by (instance) (${ofProcess('process_memory_usage')})`, '{{instance}}'),
    }),
  ],
}

/** Shows the servers that the processes depend on. */
export const CIRCUITS: Row = {
  title: 'Circuits and retries',
  panels: [
    {
      kind: 'state-timeline',
      title: 'Circuits',
      description:
        'State of the circuits of stores, registries and brokers. While a circuit is open, topics that use it are paused.',
      unit: 'short',
      queries: one(
        `max by (kind, name, instance) (${ofProcess('kafka_delta_circuit_state')})`,
        '{{kind}} {{name}} on {{instance}}',
      ),
      words: {
        0: { text: 'closed', color: 'green' },
        1: { text: 'half-open', color: 'orange' },
        2: { text: 'open', color: 'red' },
      },
      width: 12,
    },
    series({
      title: 'Retried requests per minute',
      description: 'Retried requests, by server. A few are normal; many precede an open circuit.',
      unit: 'cpm',
      queries: one(
        `60 * sum by (kind, name) (${perSecond(ofProcess('kafka_delta_retries_total'))})`,
        '{{kind}} {{name}}',
      ),
      width: 6,
    }),
    series({
      title: 'Circuits opened',
      description: 'Number of times each circuit opened, in the selected time range.',
      unit: 'short',
      queries: one(
        `sum by (kind, name) (increase(${ofProcess('kafka_delta_circuit_opened_total')}[$__range]))`,
        '{{kind}} {{name}}',
      ),
      decimals: 0,
      width: 6,
    }),
  ],
}

/** Shows the maintenance of the tables. */
export const MAINTENANCE: Row = {
  title: 'Maintenance',
  panels: [
    series({
      title: 'Maintenance runs',
      description: 'Runs of optimize, vacuum and log clean-up by outcome, in the selected time range.',
      unit: 'short',
      queries: one(
        `sum by (topic, task, outcome) (increase(${ofTopic('kafka_delta_maintenance_runs_total')}[$__range]))`,
        '{{topic}} {{task}} {{outcome}}',
      ),
      decimals: 0,
    }),
    series({
      title: 'Maintenance duration',
      description: 'Mean duration of a run.',
      unit: 's',
      queries: one(
        `sum by (topic, task) (${perSecond(ofTopic('kafka_delta_maintenance_duration_sum'))}) / ` +
          `sum by (topic, task) (${perSecond(ofTopic('kafka_delta_maintenance_duration_count'))})`,
        '{{topic}} {{task}}',
      ),
    }),
    series({
      title: 'Checkpoints',
      description:
        'Checkpoints by outcome, in the selected time range. Without checkpoints every reader replays the whole log.',
      unit: 'short',
      queries: one(
        `sum by (topic, outcome) (increase(${ofTopic('kafka_delta_checkpoints_total')}[$__range]))`,
        '{{topic}} {{outcome}}',
      ),
      decimals: 0,
    }),
  ],
}

/** Shows the Node.js runtime. */
export const NODE: Row = {
  title: 'Node',
  panels: [
    series({
      title: 'CPU',
      description: 'CPU cores used by the process.',
      unit: 'short',
      queries: one(
        `sum by (instance, cpu_mode) (${perSecond(ofProcess('process_cpu_time_total'))})`,
        '{{instance}} {{cpu_mode}}',
      ),
      isStacked: true,
    }),
    series({
      title: 'Event loop delay',
      description: '99th percentile of the event loop delay. Beyond half a second, heartbeats are late.',
      unit: 's',
      queries: one(`max by (instance) (${ofProcess('nodejs_eventloop_delay_p99')})`, '{{instance}} p99'),
      thresholds: [{ from: 0.5, color: 'red' }],
    }),
    series({
      title: 'Event loop stalls',
      description:
        'Number of times the event loop was blocked for more than a second, in the selected time range.',
      unit: 'short',
      queries: one(
        `sum by (instance) (increase(${ofProcess('kafka_delta_eventloop_stalls_total')}[$__range]))`,
        '{{instance}}',
      ),
      decimals: 0,
    }),
    series({
      title: 'Event loop utilization',
      description: 'Share of time in which JavaScript runs. At 1, add another process.',
      unit: 'percentunit',
      queries: one(`max by (instance) (${ofProcess('nodejs_eventloop_utilization')})`, '{{instance}}'),
      thresholds: [{ from: 0.95, color: 'orange' }],
    }),
    series({
      title: 'Heap',
      description: 'Memory of the JavaScript heap, and its limit. Record buffers are outside of it.',
      unit: 'bytes',
      queries: [
        { expr: `sum by (instance) (${ofProcess('v8js_memory_heap_used')})`, legend: '{{instance}} used' },
        { expr: `max by (instance) (${ofProcess('v8js_memory_heap_limit')})`, legend: '{{instance}} limit' },
      ],
    }),
    series({
      title: 'Garbage collection',
      description: 'Share of time spent in garbage collection, by kind.',
      unit: 'percentunit',
      queries: one(
        `sum by (instance, v8js_gc_type) (${perSecond(ofProcess('v8js_gc_duration_sum'))})`,
        '{{instance}} {{v8js_gc_type}}',
      ),
    }),
    series({
      title: 'Metrics omitted',
      description:
        'Label sets that a process did not export because there were too many. Above 0, sums on this dashboard are too low.',
      unit: 'short',
      queries: one(`sum by (instance) (${ofProcess('kafka_delta_metrics_omitted')})`, '{{instance}}'),
      thresholds: [{ from: 1, color: 'orange' }],
      width: 24,
    }),
  ],
}
