import type { Row } from './panel.ts'
import { ofMessaging, ofTopic, one, perSecond, series } from './select.ts'

/** Shows the time spent in the stages of flushes. */
export const FLUSHES: Row = {
  title: 'Flushes by stage',
  panels: [
    series({
      title: 'Time of a flush by stage',
      description: 'Mean time per flush spent in each stage: the highest band is the bottleneck.',
      unit: 's',
      queries: one(
        `sum by (stage) (${perSecond(ofTopic('kafka_delta_stage_duration_sum'))}) / on () group_left ` +
          `sum(${perSecond(ofTopic('kafka_delta_flush_duration_count'))})`,
        '{{stage}}',
      ),
      isStacked: true,
      width: 12,
    }),
    series({
      title: 'Duration of flushes',
      description: 'Time from the end of buffering to the commit.',
      unit: 's',
      queries: [0.5, 0.95, 0.99].map((share) => ({
        expr: `histogram_quantile(${share}, sum by (le) (${perSecond(ofTopic('kafka_delta_flush_duration_bucket'))}))`,
        legend: `p${share * 100}`,
      })),
      width: 12,
    }),
    series({
      title: 'Flushes per minute',
      description: 'Finished flushes, by outcome.',
      unit: 'cpm',
      queries: one(
        `60 * sum by (topic, outcome) (${perSecond(ofTopic('kafka_delta_flush_duration_count'))})`,
        '{{topic}} {{outcome}}',
      ),
      width: 12,
    }),
    series({
      title: 'Mean duration of a flush by topic',
      description: 'A topic that stands out has a slower store or larger flushes.',
      unit: 's',
      queries: one(
        `sum by (topic) (${perSecond(ofTopic('kafka_delta_flush_duration_sum'))}) / ` +
          `sum by (topic) (${perSecond(ofTopic('kafka_delta_flush_duration_count'))})`,
        '{{topic}}',
      ),
      width: 12,
    }),
    series({
      title: 'Time in Kafka per flush',
      description: 'Mean time per flush spent polling and committing offsets.',
      unit: 's',
      queries: one(
        `sum by (messaging_operation_name) (${perSecond(ofMessaging('messaging_client_operation_duration_sum'))}) / ` +
          `sum by (messaging_operation_name) (${perSecond(ofMessaging('messaging_client_operation_duration_count'))})`,
        '{{messaging_operation_name}}',
      ),
      width: 12,
    }),
    series({
      title: 'From poll to commit',
      description:
        'Time from the first poll of a flush to its end: the delay of a record, including waiting.',
      unit: 's',
      queries: [0.5, 0.99].map((share) => ({
        expr: `histogram_quantile(${share}, sum by (le) (${perSecond(ofMessaging('messaging_process_duration_bucket'))}))`,
        legend: `p${share * 100}`,
      })),
      width: 12,
    }),
  ],
}

/** Shows commits and conflicts with other writers. */
export const COMMITS: Row = {
  title: 'Commits',
  panels: [
    series({
      title: 'Commits per minute',
      description: 'Flushes committed to the table.',
      unit: 'cpm',
      queries: one(`60 * sum by (topic) (${perSecond(ofTopic('kafka_delta_commits_total'))})`, '{{topic}}'),
    }),
    series({
      title: 'Puts per commit',
      description: '1 without other writers; more after conflicts with other writers or retried puts.',
      unit: 'short',
      queries: one(
        `sum by (topic) (${perSecond(ofTopic('kafka_delta_commit_attempts_total'))}) / ` +
          `sum by (topic) (${perSecond(ofTopic('kafka_delta_commits_total'))})`,
        '{{topic}}',
      ),
      thresholds: [{ from: 2, color: 'yellow' }],
    }),
    series({
      title: 'Conflicts and ambiguous puts per minute',
      description: 'Versions lost to other writers, and puts whose outcome had to be determined by reading.',
      unit: 'cpm',
      queries: [
        {
          expr: `60 * sum by (topic) (${perSecond(ofTopic('kafka_delta_commit_conflicts_total'))})`,
          legend: '{{topic}} conflicts',
        },
        {
          expr: `60 * sum by (topic) (${perSecond(ofTopic('kafka_delta_puts_ambiguous_total'))})`,
          legend: '{{topic}} ambiguous',
        },
      ],
    }),
  ],
}

/** Shows the data files of the tables. */
export const FILES: Row = {
  title: 'Files',
  panels: [
    series({
      title: 'Files per minute',
      description: 'Data files added. Many small files slow down readers: use larger flushes, or optimize.',
      unit: 'cpm',
      queries: [
        {
          expr: `60 * sum by (topic) (${perSecond(ofTopic('kafka_delta_files_total'))})`,
          legend: '{{topic}}',
        },
        {
          expr: `60 * sum by (topic) (${perSecond(ofTopic('kafka_delta_files_orphaned_total'))})`,
          legend: '{{topic}} not deleted',
        },
      ],
    }),
    series({
      title: 'Mean size of a file',
      description:
        'Readers are fastest with files of at least 64 MiB; `table.optimize` compacts smaller ones.',
      unit: 'bytes',
      queries: one(
        `sum by (topic) (${perSecond(ofTopic('kafka_delta_file_size_sum'))}) / ` +
          `sum by (topic) (${perSecond(ofTopic('kafka_delta_file_size_count'))})`,
        '{{topic}}',
      ),
    }),
    {
      kind: 'heatmap',
      title: 'File sizes',
      description: 'Number of files added, by size.',
      unit: 'short',
      queries: [
        {
          expr: `sum by (le) (increase(${ofTopic('kafka_delta_file_size_bucket')}[$__rate_interval]))`,
          legend: '{{le}}',
          format: 'heatmap',
        },
      ],
      width: 8,
    },
    series({
      title: 'Bytes written',
      description: 'Bytes of data files per second.',
      unit: 'Bps',
      queries: one(`sum by (topic) (${perSecond(ofTopic('kafka_delta_file_size_sum'))})`, '{{topic}}'),
      width: 12,
    }),
    series({
      title: 'Schema changes',
      description: 'Commits that changed the table’s columns, in the selected time range.',
      unit: 'short',
      queries: one(
        `sum by (topic) (increase(${ofTopic('kafka_delta_schema_changes_total')}[$__range]))`,
        '{{topic}}',
      ),
      width: 12,
      decimals: 0,
    }),
  ],
}

/** Shows dead letters and dropped fields. */
export const DEAD_LETTERS: Row = {
  title: 'Dead letters',
  panels: [
    series({
      title: 'Dead letters by reason',
      description: 'Dead letters per second; `kafka-delta dlq list` shows the records.',
      unit: 'cps',
      queries: one(
        `sum by (topic, reason) (${perSecond(ofTopic('kafka_delta_dead_letters_total'))})`,
        '{{topic}} {{reason}}',
      ),
      isStacked: true,
      width: 12,
    }),
    series({
      title: 'Share of records that are dead letters',
      description: 'A sudden increase means that a producer has changed its messages.',
      unit: 'percentunit',
      queries: one(
        `sum by (topic) (${perSecond(ofTopic('kafka_delta_records_total', 'outcome="dead_letter"'))}) / ` +
          `sum by (topic) (${perSecond(ofTopic('kafka_delta_records_total'))})`,
        '{{topic}}',
      ),
      thresholds: [{ from: 0.05, color: 'red' }],
      width: 12,
    }),
    series({
      title: 'Fields dropped',
      description: 'Fields per second that the table has no column for, such as fields added by producers.',
      unit: 'cps',
      queries: one(`sum by (topic) (${perSecond(ofTopic('kafka_delta_dropped_fields_total'))})`, '{{topic}}'),
      width: 12,
    }),
    series({
      title: 'Records decoded as objects',
      description:
        'Records per second that were decoded as objects instead of columns, which costs about three times the CPU. `kafka-delta validate --explain` says why for each column.',
      unit: 'cps',
      queries: one(
        `sum by (topic, reason) (${perSecond(ofTopic('kafka_delta_slow_rows_total'))}) > 0`,
        '{{topic}}: {{reason}}',
      ),
      width: 12,
    }),
    series({
      title: 'Records unaccounted for',
      description:
        'Records in committed flushes minus rows, dead letters, tombstones and filtered records. Always 0; otherwise records are lost.',
      unit: 'short',
      queries: one(
        `sum by (topic) (${ofTopic('kafka_delta_commit_records_total')}) - ` +
          `sum by (topic) (${ofTopic('kafka_delta_records_total')})`,
        '{{topic}}',
      ),
      thresholds: [{ from: 1, color: 'red' }],
      width: 12,
    }),
  ],
}
