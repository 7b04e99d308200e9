import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { type TableChange, type TableChangeOptions, commitTableChange } from '../commit/change.ts'
import { findEnablementFaults } from './feature-enablement.ts'
import { openMaintainedTable } from './maintained-table.ts'
import { checkTableProperties } from '../protocol/table-properties.ts'

/** Holds the properties of a table after they were set. */
interface SetPropertiesResult {
  /** Version of the commit; absent if the table already had these values. */
  readonly version?: bigint
  /** All properties of the table after the change. */
  readonly properties: Readonly<Record<string, string>>
}

/** Maximum of attempts: the metadata is read again if another writer changed it meanwhile. */
const TRIES_MAX = 10

/**
 * Sets table properties; others stay unchanged. A writer that has the table open follows them from its next commit on,
 * and makes its files again if they would differ. Spec: "Change Metadata", "Table Properties".
 * @throws KD_COMMAND_INVALID for properties that are not supported or invalid
 * @throws KD_TABLE_UNSUPPORTED for properties of a feature that the table lacks
 */
export async function setTableProperties(
  store: Store,
  properties: Readonly<Record<string, string>>,
  options: TableChangeOptions = {},
): Promise<SetPropertiesResult> {
  checkTableProperties(properties)
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const { state } = await openMaintainedTable(store, 'commit')
    const { configuration } = state.metadata
    const faults = findEnablementFaults(state.protocol, configuration, properties)
    if (faults.length > 0) {
      throw new PipelineError('KD_TABLE_UNSUPPORTED', faults.join('; '), { table: store.uri })
    }
    const isSame = Object.entries(properties).every(([name, value]) => configuration[name] === value)
    if (isSame) return { properties: configuration }
    const metaData = { ...state.metadata, configuration: { ...configuration, ...properties } }
    const change: TableChange = {
      operation: 'SET TBLPROPERTIES',
      operationParameters: { properties: JSON.stringify(properties) },
      operationMetrics: {},
      isolationLevel: 'Serializable',
      actions: [{ kind: 'metaData', metaData }],
      conflict: ({ actions }) =>
        actions.some(({ kind }) => kind === 'metaData' || kind === 'protocol') ? 'came first' : undefined,
    }
    const outcome = await commitTableChange(store, state, change, options)
    if (outcome.kind === 'committed')
      return { version: outcome.state.version, properties: metaData.configuration }
  }
  const detail = `all ${TRIES_MAX} attempts lost to writers that changed the metadata`
  throw new PipelineError('KD_COMMIT_CONTENDED', detail, { table: store.uri })
}
