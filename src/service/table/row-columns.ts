import type { TopicConfig } from '../../../config/types.ts'
import { contractOfTable } from '../../contract/table-contract.ts'
import { PipelineError } from '../../core/errors.ts'
import type { StructType } from '../../core/schema.ts'
import type { TableShape } from '../../delta/protocol/table-shape.ts'
import { RowColumns, type RowColumnsOptions } from '../../evolution/row-columns.ts'

/** Holds the columns of the messages of a topic and those of the rows for its table. */
interface TopicColumns {
  readonly columns: RowColumns
  readonly rowColumns: Pick<RowColumns, 'layout'>
}

type MessageOptions = Pick<
  RowColumnsOptions,
  'contract' | 'declaredColumns' | 'checksByWriter' | 'coerceValue'
>

/** Returns the columns of a topic whose operators leave the columns of its messages as they are. */
export function sharedColumnsOf(columns: RowColumns): TopicColumns {
  return { columns, rowColumns: columns }
}

/**
 * Returns the columns of a topic whose operators make rows with the columns of `after`. Messages have the columns of their
 * contract, whatever the table has, and fields without a column follow the policy; rows fit the table as the policy allows.
 * @throws KD_SCHEMA_MISMATCH when rows with these columns do not fit the table
 */
export function reshapedColumnsOf(
  table: Omit<RowColumnsOptions, keyof MessageOptions>,
  messages: MessageOptions,
  after: StructType,
): TopicColumns {
  const { schema, source } = messages.contract
  const columns = new RowColumns({
    ...table,
    ...messages,
    table: { uri: source, shape: shapeOf(schema) },
    addedColumns: [],
  })
  const rows = new RowColumns({ ...table, contract: contractOfTable(after, 'operators') })
  // Fields that messages dropped are no fields of the rows, whose columns the operators make.
  return { columns, rowColumns: { layout: (schemas) => rows.layout(schemas) } }
}

/**
 * Returns the error of operators that change the columns of a topic whose messages have no schema: their columns come from
 * the table, which has those of the rows after the operators.
 */
export function noMessageColumnsError({ topic }: TopicConfig): PipelineError {
  const detail = `topic ${topic}: operators change the columns of rows, so the columns of the messages cannot be taken from the table: set contract, or another schema of the format`
  return new PipelineError('KD_CONFIG_INVALID', detail, { topic })
}

/** Returns the shape of a table with these columns, for messages that no table follows. */
function shapeOf(schema: StructType): TableShape {
  const features = ['timestampNtz']
  return {
    protocol: {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: features,
      writerFeatures: features,
    },
    metadata: { id: '', schema, partitionColumns: [], configuration: {} },
  }
}
