import type { Row } from './panel.ts'
import { ofProcess, ofTopic, one, perSecond, series } from './select.ts'

/** What the processes hold between Kafka and the tables. */
export const BUDGET: Row = {
  title: 'Budget and memory',
  panels: [
    series({
      title: 'Byte budget of the process',
      description:
        'Bytes between Kafka and the tables, and how many there may be. At its limit reading waits for flushes.',
      unit: 'bytes',
      queries: [
        { expr: `sum by (instance) (${ofProcess('kafka_delta_budget')})`, legend: '{{instance}}' },
        { expr: `sum by (instance) (${ofProcess('kafka_delta_budget_max')})`, legend: '{{instance}} limit' },
      ],
    }),
    series({
      title: 'Buffered by topic',
      description: 'Bytes of each topic between Kafka and the table, as a share of what it may hold.',
      unit: 'percentunit',
      queries: one(
        `max by (topic, instance) (${ofTopic('kafka_delta_buffered')} / ${ofTopic('kafka_delta_buffered_max')})`,
        '{{topic}} on {{instance}}',
      ),
      thresholds: [{ from: 0.95, color: 'orange' }],
    }),
    series({
      title: 'Resident memory',
      description: 'All memory of the process, beside buffers also Node itself and the Parquet writer.',
      unit: 'bytes',
      queries: one(`sum by (instance) (${ofProcess('process_memory_usage')})`, '{{instance}}'),
    }),
  ],
}

/** Servers that the processes lean on. */
export const CIRCUITS: Row = {
  title: 'Circuits and retries',
  panels: [
    {
      kind: 'state-timeline',
      title: 'Circuits',
      description:
        'Whether stores, registries and brokers are reached. While open, topics that need it wait.',
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
      title: 'Repeated requests a minute',
      description:
        'Requests that were sent again, by server. A few are usual, many come before an open circuit.',
      unit: 'cpm',
      queries: one(
        `60 * sum by (kind, name) (${perSecond(ofProcess('kafka_delta_retries_total'))})`,
        '{{kind}} {{name}}',
      ),
      width: 6,
    }),
    series({
      title: 'Circuits opened',
      description: 'How often each has opened, in the time that is shown.',
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

/** The upkeep of the tables. */
export const MAINTENANCE: Row = {
  title: 'Maintenance',
  panels: [
    series({
      title: 'Runs of upkeep',
      description: 'Runs of optimize, vacuum and clean-up of the log by outcome, in the time that is shown.',
      unit: 'short',
      queries: one(
        `sum by (topic, task, outcome) (increase(${ofTopic('kafka_delta_maintenance_runs_total')}[$__range]))`,
        '{{topic}} {{task}} {{outcome}}',
      ),
      decimals: 0,
    }),
    series({
      title: 'Duration of upkeep',
      description: 'Mean seconds of a run.',
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
        'Checkpoints by outcome, in the time that is shown. Without them every reader replays the log.',
      unit: 'short',
      queries: one(
        `sum by (topic, outcome) (increase(${ofTopic('kafka_delta_checkpoints_total')}[$__range]))`,
        '{{topic}} {{outcome}}',
      ),
      decimals: 0,
    }),
  ],
}

/** The runtime below all. */
export const NODE: Row = {
  title: 'Node',
  panels: [
    series({
      title: 'CPU',
      description: 'Cores that the process keeps busy.',
      unit: 'short',
      queries: one(
        `sum by (instance, cpu_mode) (${perSecond(ofProcess('process_cpu_time_total'))})`,
        '{{instance}} {{cpu_mode}}',
      ),
      isStacked: true,
    }),
    series({
      title: 'Event loop delay',
      description: '99 of 100 turns come within this. Beyond half a second heartbeats go late.',
      unit: 's',
      queries: one(`max by (instance) (${ofProcess('nodejs_eventloop_delay_p99')})`, '{{instance}} p99'),
      thresholds: [{ from: 0.5, color: 'red' }],
    }),
    series({
      title: 'Event loop stalls',
      description: 'Times that it stood still for more than a second, in the time that is shown.',
      unit: 'short',
      queries: one(
        `sum by (instance) (increase(${ofProcess('kafka_delta_eventloop_stalls_total')}[$__range]))`,
        '{{instance}}',
      ),
      decimals: 0,
    }),
    series({
      title: 'Event loop utilization',
      description: 'Share of time in which JavaScript runs. At 1 another process is what helps.',
      unit: 'percentunit',
      queries: one(`max by (instance) (${ofProcess('nodejs_eventloop_utilization')})`, '{{instance}}'),
      thresholds: [{ from: 0.95, color: 'orange' }],
    }),
    series({
      title: 'Heap',
      description: 'JavaScript’s own memory, and its limit. Buffers of records lie outside of it.',
      unit: 'bytes',
      queries: [
        { expr: `sum by (instance) (${ofProcess('v8js_memory_heap_used')})`, legend: '{{instance}} used' },
        { expr: `max by (instance) (${ofProcess('v8js_memory_heap_limit')})`, legend: '{{instance}} limit' },
      ],
    }),
    series({
      title: 'Garbage collection',
      description: 'Share of time that it takes, by kind.',
      unit: 'percentunit',
      queries: one(
        `sum by (instance, v8js_gc_type) (${perSecond(ofProcess('v8js_gc_duration_sum'))})`,
        '{{instance}} {{v8js_gc_type}}',
      ),
    }),
    series({
      title: 'Metrics left out',
      description:
        'Label sets that a process did not tell because there were too many. Above 0 the sums here are too low.',
      unit: 'short',
      queries: one(`sum by (instance) (${ofProcess('kafka_delta_metrics_omitted')})`, '{{instance}}'),
      thresholds: [{ from: 1, color: 'orange' }],
      width: 24,
    }),
  ],
}
