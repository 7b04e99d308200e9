import type { Command } from 'commander'
import { PipelineError } from '../../core/errors.ts'
import { print, printJson, formatTable } from '../output.ts'
import {
  addTableSubcommand,
  parseColumnNames,
  parseNameValue,
  withStore,
  type TableFlags,
} from './command.ts'
import { formatDataType } from './type-text.ts'

interface CreateFlags extends TableFlags {
  readonly fromContract: string
  readonly partitionColumns?: readonly string[]
  readonly property?: Readonly<Record<string, string>>
  readonly kafkaColumns?: true
}

/** Adds the command `table create`, which creates an empty table with the columns of a contract. */
export function addCreate(parent: Command): void {
  addTableSubcommand(parent, 'create', [
    'kafka-delta table create ./lake/user_events --from-contract schemas/user-events.schema.json --kafka-columns',
    'kafka-delta table create s3://lake/t --from-contract t.json --partition-columns day --property delta.checkpointInterval=50',
  ])
    .description('create an empty table with the columns of a contract')
    .requiredOption('--from-contract <file>', 'JSON Schema that defines the columns')
    .option('--partition-columns <names>', 'comma-separated partition columns', parseColumnNames)
    .option('--property <name=value>', 'set a table property; may be repeated', parseNameValue)
    .option(
      '--kafka-columns',
      'add the columns _kafka_topic, _kafka_partition, _kafka_offset, _kafka_timestamp and _kafka_key',
    )
    .option('--json', 'print JSON')
    .action(async (uri: string, flags: CreateFlags) => {
      const { readContract } = await import('../../contract/file.ts')
      const { createTable } = await import('../../delta/maintenance/create.ts')
      const { checkTableProperties } = await import('../../delta/protocol/table-properties.ts')
      const { KAFKA_FIELDS } = await import('../../enrichments/kafka-columns.ts')
      const { partitionColumns = [], property: configuration = {} } = flags
      checkTableProperties(configuration)
      const { withoutInternalMetadata } = await import('../../contract/json-schema/delta-type.ts')
      const contract = await readContract(flags.fromContract)
      const added = flags.kafkaColumns === true ? KAFKA_FIELDS : []
      const schema = {
        type: 'struct' as const,
        fields: [...withoutInternalMetadata(contract.schema).fields, ...added],
      }
      await withStore(uri, flags, async (store) => {
        const { created } = await createTable(store, { schema, partitionColumns, configuration })
        if (!created)
          throw new PipelineError('KD_COMMAND_INVALID', 'a table already exists there', { table: store.uri })
        if (flags.json === true)
          await printJson({ uri, version: 0, schema, partitionColumns, properties: configuration })
        else
          await print(
            formatTable(
              ['column', 'type'],
              schema.fields.map(({ name, type }) => [name, formatDataType(type)]),
            ),
          )
      })
    })
}
