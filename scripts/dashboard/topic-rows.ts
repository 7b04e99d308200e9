import type { Row } from './panel.ts'
import { ofMessaging, ofProcess, ofTopic, one, perSecond, series, stat } from './select.ts'

const READ = ofMessaging('messaging_client_consumed_messages_total')
const STATES = {
  ended: { text: 'ended', color: 'text' },
  opening: { text: 'opening', color: 'super-light-blue' },
  running: { text: 'running', color: 'green' },
  paused: { text: 'paused', color: 'blue' },
  waiting: { text: 'waiting for a server', color: 'yellow' },
  restarting: { text: 'restarting', color: 'orange' },
  stalled: { text: 'stalled', color: 'dark-orange' },
  failed: { text: 'failed', color: 'red' },
}

/** Shows the overview for an operator on call. */
export const OVERVIEW: Row = {
  title: 'Overview',
  panels: [
    stat({
      title: 'Processes ready',
      description:
        'Processes that are up, and those of them that are not ready: their /readyz has the reason.',
      unit: 'short',
      queries: [
        { expr: `count(${ofProcess('kafka_delta_ready')})`, legend: 'processes' },
        { expr: `sum(${ofProcess('kafka_delta_ready')} == bool 0)`, legend: 'not ready' },
      ],
    }),
    stat({
      title: 'Topics',
      description: 'Topics by state, counted once per process. Failed and stalled topics need attention.',
      unit: 'short',
      queries: one(`sum by (state) (${ofTopic('kafka_delta_topic_state')}) > 0`, '{{state}}'),
      width: 6,
    }),
    stat({
      title: 'Records read',
      description: 'Records read from Kafka per second.',
      unit: 'cps',
      queries: one(`sum(${perSecond(READ)})`, 'read'),
    }),
    stat({
      title: 'Lag',
      description:
        'Offsets in Kafka that are not committed to a table yet. Some always wait for the next flush.',
      unit: 'short',
      queries: one(`sum(${ofTopic('kafka_delta_lag')})`, 'lag'),
    }),
    stat({
      title: 'Furthest behind',
      description: 'Age of the oldest record that is not in its table yet; 0 without lag.',
      unit: 's',
      queries: one(`max(${ofTopic('kafka_delta_lag_time')})`, 'behind'),
      thresholds: [
        { from: 300, color: 'yellow' },
        { from: 900, color: 'red' },
      ],
      width: 6,
    }),
    stat({
      title: 'Alerts firing',
      description: 'Alerts of deploy/prometheus/alerts.yaml; also 0 if these rules are not loaded.',
      unit: 'short',
      queries: one('count(ALERTS{alertname=~"KafkaDelta.*",alertstate="firing"}) or vector(0)', 'firing'),
      thresholds: [{ from: 1, color: 'red' }],
    }),
    stat({
      title: 'Circuits not closed',
      description: 'Stores, registries and brokers that are not reachable. Topics that use them are paused.',
      unit: 'short',
      queries: one(`sum(${ofProcess('kafka_delta_circuit_state')} > bool 0)`, 'not closed'),
      thresholds: [{ from: 1, color: 'red' }],
      width: 6,
    }),
    stat({
      title: 'Dead letters',
      description: 'Records that could not become rows, in the selected time range.',
      unit: 'short',
      queries: one(
        `sum(increase(${ofTopic('kafka_delta_records_total', 'outcome="dead_letter"')}[$__range]))`,
        'dead letters',
      ),
      thresholds: [{ from: 1, color: 'yellow' }],
      decimals: 0,
    }),
    stat({
      title: 'Rows written',
      description: 'Rows in committed flushes per second.',
      unit: 'cps',
      queries: one(`sum(${perSecond(ofTopic('kafka_delta_records_total', 'outcome="row"'))})`, 'rows'),
    }),
    stat({
      title: 'Since the newest row',
      description: 'Age of the newest record in any table. It also grows while nothing is produced.',
      unit: 's',
      queries: one(`max(min by (namespace, topic) (${ofTopic('kafka_delta_freshness')}))`, 'newest row'),
      width: 6,
    }),
    {
      kind: 'state-timeline',
      title: 'Topic states',
      description: 'The state of each topic on each process over time.',
      unit: 'short',
      queries: one(
        `max by (topic, instance) (${Object.keys(STATES)
          .map((state, rank) => `${ofTopic('kafka_delta_topic_state', `state="${state}"`)} * ${rank}`)
          .join(' or ')})`,
        '{{topic}} on {{instance}}',
      ),
      words: Object.fromEntries(Object.values(STATES).map((word, rank) => [rank, word])),
      width: 24,
    },
  ],
}

/** Shows each topic on its own. */
export const TOPICS: Row = {
  title: 'Topics: $topic',
  panels: [
    series({
      title: 'Records read by topic',
      description: 'Records read from Kafka per second.',
      unit: 'cps',
      queries: one(
        `sum by (messaging_destination_name) (${perSecond(READ)})`,
        '{{messaging_destination_name}}',
      ),
    }),
    series({
      title: 'Bytes read',
      description: 'Bytes of record values read per second.',
      unit: 'Bps',
      queries: one(`sum by (topic) (${perSecond(ofTopic('kafka_delta_read_bytes_total'))})`, '{{topic}}'),
    }),
    series({
      title: 'Records by outcome',
      description:
        'Records in committed flushes by outcome: rows, dead letters, tombstones and filtered records.',
      unit: 'cps',
      queries: one(
        `sum by (topic, outcome) (${perSecond(ofTopic('kafka_delta_records_total'))})`,
        '{{topic}} {{outcome}}',
      ),
      isStacked: true,
    }),
    series({
      title: 'Paths that match nothing',
      description:
        'Paths of drop, rename and transforms that no message had: a field that was to be left out may be in the table.',
      unit: 'short',
      queries: one(`max by (topic) (${ofTopic('kafka_delta_unmatched_paths')})`, '{{topic}}'),
      thresholds: [{ from: 1, color: 'yellow' }],
    }),
    series({
      title: 'Lag',
      description: 'Offsets that are not committed to the table yet. It falls with every commit.',
      unit: 'short',
      queries: one(`sum by (topic) (${ofTopic('kafka_delta_lag')})`, '{{topic}}'),
    }),
    series({
      title: 'Lag in time',
      description: 'Age of the oldest record that is not in the table yet; 0 without lag.',
      unit: 's',
      queries: one(`max by (topic) (${ofTopic('kafka_delta_lag_time')})`, '{{topic}}'),
      thresholds: [{ from: 900, color: 'red' }],
    }),
    series({
      title: 'Freshness',
      description:
        'Seconds since the newest record in the table was produced. It also grows while nothing is produced.',
      unit: 's',
      queries: one(`min by (topic) (${ofTopic('kafka_delta_freshness')})`, '{{topic}}'),
    }),
    series({
      title: 'Restarts',
      description: 'Restarts of topics after a retryable failure, in the selected time range.',
      unit: 'short',
      queries: one(
        `sum by (topic) (increase(${ofTopic('kafka_delta_topic_restarts_total')}[$__range]))`,
        '{{topic}}',
      ),
      decimals: 0,
    }),
    series({
      title: 'Rebalances',
      description:
        'Times per minute that the consumers of a topic joined their group. While they join, no new partition is read.',
      unit: 'short',
      queries: one(
        `60 * sum by (topic) (${perSecond(ofTopic('kafka_delta_rebalances_total'))})`,
        '{{topic}}',
      ),
    }),
    series({
      title: 'Partitions with the largest lag',
      description:
        'Ten Kafka partitions with the largest lag. One that stands out has a hot key or a slow broker.',
      unit: 'short',
      queries: one(
        `topk(10, sum by (topic, partition) (${ofTopic('kafka_delta_lag')}))`,
        '{{topic}} {{partition}}',
      ),
    }),
    series({
      title: 'Table version',
      description: 'Latest version written by a process.',
      unit: 'none',
      queries: one(`max by (topic) (${ofTopic('kafka_delta_table_version')})`, '{{topic}}'),
    }),
  ],
}
