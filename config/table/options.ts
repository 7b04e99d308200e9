import type { OptionTree } from '../option.ts'

/** The table of a topic and its upkeep: options below `table` of an entry of `topics`. */
export const TABLE_OPTIONS = {
  uri: {
    doc: 'Where the table lies: `s3://bucket/prefix`, `abfss://container@account.dfs.core.windows.net/prefix`, `gs://bucket/prefix`, or a path, which counts from the folder of the configuration file. A table that does not exist is created.',
    format: 'text',
    default: null,
    required: true,
    path: true,
    template: true,
  },
  partitionColumns: {
    doc: 'Columns by which a new table is partitioned, in order; an existing table must have the same.',
    format: 'text-list',
    default: [],
  },
  schemaEvolution: {
    doc: 'What becomes of fields that neither contract nor table knows, and of columns of the contract that the table lacks. `addNewColumns` adds them to the table, their types taken from the contract or from the values, and widens columns where the table allows it; `rescue` keeps them, and values that do not fit their column, as JSON in the column `_rescued_data`; `failOnNewColumns` stops; `none` drops and counts them.',
    format: ['addNewColumns', 'rescue', 'failOnNewColumns', 'none'],
    default: 'addNewColumns',
  },
  checkpointInterval: {
    doc: 'A checkpoint is written at every so many versions.',
    format: 'whole-number',
    unit: 'commits',
    default: 10,
  },
  properties: {
    doc: 'Delta table properties of a table that is created, such as `delta.appendOnly`; an existing table keeps its own. One that needs what is not supported is refused by its name.',
    format: 'map',
    default: [],
  },
  maintenance: {
    doc: 'Who keeps the table healthy: the `service`, as `optimize` and `vacuum` say, log clean-up included; or somebody `external`, such as a job of Spark: then the service writes data, checkpoints and checksums, deletes nothing, and `optimize` and `vacuum` are refused.',
    format: ['service', 'external'],
    default: 'service',
  },
  optimize: {
    everyCommits: {
      doc: "Pack small files into large ones whenever the table's version passes a multiple of this. It happens beside ingestion, in the process that holds partition 0 of the topic, one table at a time. Unset, not by versions.",
      format: 'whole-number',
      unit: 'commits',
      default: null,
      nullable: true,
    },
    everyMs: {
      doc: 'Pack small files after this time, the first time after a tenth of it. Unset, not by time.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: null,
      nullable: true,
    },
    targetBytes: {
      doc: "Size that a packed file aims at. Unset, the table's `delta.targetFileSize`, or 128 MiB.",
      format: 'whole-number',
      unit: 'bytes',
      default: null,
      nullable: true,
    },
    zorder: {
      doc: 'Columns along whose Z-order curve rows are laid while they are packed; a clustered table is clustered by its own. Rows beyond 64 MiB lie among the temporary files (`TMPDIR`) meanwhile. Unset, rows keep their order.',
      format: 'text-list',
      default: null,
      nullable: true,
    },
  },
  vacuum: {
    everyMs: {
      doc: 'Delete files that no version within the retention needs after this time, the first time after a tenth of it, in the process that holds partition 0 of the topic. Unset, never.',
      format: 'whole-number',
      unit: 'milliseconds',
      default: null,
      nullable: true,
    },
    retentionHours: {
      doc: "Files that left the table within so many hours stay; not less than the table's `delta.deletedFileRetentionDuration`, which is 168 by default and counts where this is unset.",
      format: 'whole-number',
      unit: 'hours',
      default: null,
      nullable: true,
    },
  },
} as const satisfies OptionTree
