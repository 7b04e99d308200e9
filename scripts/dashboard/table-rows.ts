import type { Row } from './panel.ts'
import { ofMessaging, ofTopic, one, perSecond, series } from './select.ts'

/** Where the time of flushes goes. */
export const FLUSHES: Row = {
  title: 'Flushes by stage',
  panels: [
    series({
      title: 'Time of a flush by stage',
      description: 'Mean seconds that each stage took of a flush: the highest band is what to make faster.',
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
      description: 'From the forming of a flush to its commit.',
      unit: 's',
      queries: [0.5, 0.95, 0.99].map((share) => ({
        expr: `histogram_quantile(${share}, sum by (le) (${perSecond(ofTopic('kafka_delta_flush_duration_bucket'))}))`,
        legend: `p${share * 100}`,
      })),
      width: 12,
    }),
    series({
      title: 'Flushes a minute',
      description: 'Flushes that ended, by how.',
      unit: 'cpm',
      queries: one(
        `60 * sum by (topic, outcome) (${perSecond(ofTopic('kafka_delta_flush_duration_count'))})`,
        '{{topic}} {{outcome}}',
      ),
      width: 12,
    }),
    series({
      title: 'Mean duration of a flush by topic',
      description: 'A topic that stands out has the slower store or the larger flushes.',
      unit: 's',
      queries: one(
        `sum by (topic) (${perSecond(ofTopic('kafka_delta_flush_duration_sum'))}) / ` +
          `sum by (topic) (${perSecond(ofTopic('kafka_delta_flush_duration_count'))})`,
        '{{topic}}',
      ),
      width: 12,
    }),
    series({
      title: 'Time in Kafka for one flush',
      description: 'Mean seconds of a flush that polling and the commit of offsets took.',
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
        'From the first poll of a flush to its end: how long a record is on its way, waiting included.',
      unit: 's',
      queries: [0.5, 0.99].map((share) => ({
        expr: `histogram_quantile(${share}, sum by (le) (${perSecond(ofMessaging('messaging_process_duration_bucket'))}))`,
        legend: `p${share * 100}`,
      })),
      width: 12,
    }),
  ],
}

/** How commits fare among other writers. */
export const COMMITS: Row = {
  title: 'Commits',
  panels: [
    series({
      title: 'Commits a minute',
      description: 'Flushes that are in the table.',
      unit: 'cpm',
      queries: one(`60 * sum by (topic) (${perSecond(ofTopic('kafka_delta_commits_total'))})`, '{{topic}}'),
    }),
    series({
      title: 'Puts for one commit',
      description: '1 where nobody else writes; more where versions are lost to others or puts are repeated.',
      unit: 'short',
      queries: one(
        `sum by (topic) (${perSecond(ofTopic('kafka_delta_commit_attempts_total'))}) / ` +
          `sum by (topic) (${perSecond(ofTopic('kafka_delta_commits_total'))})`,
        '{{topic}}',
      ),
      thresholds: [{ from: 2, color: 'yellow' }],
    }),
    series({
      title: 'Conflicts and ambiguous puts a minute',
      description: 'Versions lost to other writers; puts whose outcome had to be settled by reading.',
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

/** What the tables are made of. */
export const FILES: Row = {
  title: 'Files',
  panels: [
    series({
      title: 'Files a minute',
      description: 'Data files added. Many small ones make readers slow: flush larger, or optimize.',
      unit: 'cpm',
      queries: one(`60 * sum by (topic) (${perSecond(ofTopic('kafka_delta_files_total'))})`, '{{topic}}'),
    }),
    series({
      title: 'Mean size of a file',
      description: 'Readers like 64 MiB and more; below that `table.optimize` packs them.',
      unit: 'bytes',
      queries: one(
        `sum by (topic) (${perSecond(ofTopic('kafka_delta_file_size_sum'))}) / ` +
          `sum by (topic) (${perSecond(ofTopic('kafka_delta_file_size_count'))})`,
        '{{topic}}',
      ),
    }),
    {
      kind: 'heatmap',
      title: 'Sizes of files',
      description: 'How many files were added, by size.',
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
      description: 'Bytes of data files each second.',
      unit: 'Bps',
      queries: one(`sum by (topic) (${perSecond(ofTopic('kafka_delta_file_size_sum'))})`, '{{topic}}'),
      width: 12,
    }),
    series({
      title: 'Schema changes',
      description: 'Commits that changed the table’s columns, in the time that is shown.',
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

/** Of what no row could be made. */
export const DEAD_LETTERS: Row = {
  title: 'Dead letters',
  panels: [
    series({
      title: 'Dead letters by reason',
      description: 'Each second; `kafka-delta dlq list` shows the records.',
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
      description: 'A jump says that a producer has changed what it sends.',
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
      description:
        'Fields of rows each second that the table has no column for. It shows what producers have added.',
      unit: 'cps',
      queries: one(`sum by (topic) (${perSecond(ofTopic('kafka_delta_dropped_fields_total'))})`, '{{topic}}'),
      width: 12,
    }),
    series({
      title: 'Records unaccounted for',
      description:
        'What committed flushes held less what became of it. Always 0, otherwise something is lost.',
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
