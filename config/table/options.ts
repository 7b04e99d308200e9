import type { OptionTree } from '../option.ts'

/** Declares the options below `table` of an entry of `topics`: the Delta table and its maintenance. */
export const TABLE_OPTIONS = {
  /** URI whose local path is absolute. */
  uri: {
    doc: 'Location of the table: `s3://bucket/prefix`, `abfss://container@account.dfs.core.windows.net/prefix`, `gs://bucket/prefix` or a local path. Relative paths are resolved against the folder of the configuration file. A table that does not exist is created.',
    format: 'text',
    default: null,
    required: true,
    path: true,
    template: true,
  },
  partitionColumns: {
    doc: 'Partition columns of a new table, in order. An existing table must have the same.',
    format: 'text-list',
    default: [],
  },
  schemaEvolution: {
    doc: 'What happens to fields that neither the contract nor the table has a column for, and to columns of the contract that the table lacks. `addNewColumns` adds columns to the table, with types of the contract or inferred from the values, and widens columns where the table allows it. `rescue` stores such fields, and values that do not fit their column, as JSON in the column `_rescued_data`. `failOnNewColumns` stops the topic. `none` drops and counts them.',
    format: ['addNewColumns', 'rescue', 'failOnNewColumns', 'none'],
    default: 'addNewColumns',
  },
  checkpointInterval: {
    doc: 'A checkpoint is written whenever the version of the table is a multiple of this. Readers open a table faster with more frequent checkpoints.',
    format: 'whole-number',
    unit: 'commits',
    default: 10,
  },
  properties: {
    doc: 'Table properties of a new table, such as `delta.appendOnly`; an existing table keeps its own. A property that requires an unsupported table feature is rejected.',
    format: 'map',
    default: [],
  },
  maintenance: {
    doc: 'Who maintains the table. `service`: this service runs `optimize` and `vacuum` as configured and cleans up the log. `external`: another program does, such as a Spark job; this service then writes data, checkpoints and checksums, deletes nothing, and rejects the options `optimize` and `vacuum`.',
    format: ['service', 'external'],
    default: 'service',
  },
  optimize: {
    everyCommits: {
      doc: 'Compacts small files whenever the version of the table passes a multiple of this. It runs beside ingestion, one table at a time, in the process that owns partition 0 of the topic. Unset: compaction is not triggered by versions.',
      format: 'whole-number',
      unit: 'commits',
      default: null,
      nullable: true,
    },
    everyMs: {
      doc: 'Interval between compactions of small files; the first one runs after a tenth of it. Unset: compaction is not triggered by time.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: null,
      nullable: true,
    },
    targetBytes: {
      doc: 'Target size of compacted files. Unset: the table property `delta.targetFileSize`, or 128 MiB.',
      format: 'whole-number',
      unit: 'bytes',
      default: null,
      nullable: true,
    },
    zorder: {
      doc: 'Columns whose Z-order curve the rows are sorted by during compaction, so that readers skip more files. A clustered table is always clustered by its own columns. More than 64 MiB of rows are sorted in temporary files (`TMPDIR`). Unset: rows keep their order.',
      format: 'text-list',
      default: null,
      nullable: true,
    },
  },
  vacuum: {
    everyMs: {
      doc: 'Interval between vacuums, which delete files that no version within the retention needs; the first one runs after a tenth of it, in the process that owns partition 0 of the topic. Unset: never.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: null,
      nullable: true,
    },
    retentionHours: {
      doc: 'Vacuum keeps files that were removed from the table less than this long ago. At least the table property `delta.deletedFileRetentionDuration`, which is the default and 168 hours unless the table sets it.',
      format: 'whole-number',
      unit: 'hours',
      default: null,
      nullable: true,
    },
  },
} as const satisfies OptionTree
