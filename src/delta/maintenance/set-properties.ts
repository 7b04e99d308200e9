import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { type Change, type ChangeOptions, commitChange } from '../commit/change.ts'
import { switchFaults } from './feature-enablement.ts'
import { openMaintained } from './maintainable.ts'
import { checkProperties } from '../protocol/table-properties.ts'

/** What became of the table. */
export interface PropertiesSet {
  /** Of the commit; absent where the table had these values already. */
  readonly version?: bigint
  /** All properties of the table afterwards. */
  readonly properties: Readonly<Record<string, string>>
}

/** Times that the metadata is read anew because another writer changed it meanwhile. */
const TRIES_MAX = 10

/**
 * Sets table properties; others stay. A writer that has the table open obeys them from its next commit on, for which it makes
 * its files anew where they would be others now.
 * Throws `KD_COMMAND_INVALID` for what is not understood, `KD_TABLE_UNSUPPORTED` for what needs a feature that the table
 * does not have. Spec: "Change Metadata", "Table Properties".
 */
export async function setProperties(
  store: Store,
  properties: Readonly<Record<string, string>>,
  options: ChangeOptions = {},
): Promise<PropertiesSet> {
  checkProperties(properties)
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const { state } = await openMaintained(store, 'commit')
    const { configuration } = state.metadata
    const faults = switchFaults(state.protocol, configuration, properties)
    if (faults.length > 0) {
      throw new PipelineError('KD_TABLE_UNSUPPORTED', faults.join('; '), { table: store.uri })
    }
    const isSame = Object.entries(properties).every(([name, value]) => configuration[name] === value)
    if (isSame) return { properties: configuration }
    const metaData = { ...state.metadata, configuration: { ...configuration, ...properties } }
    const change: Change = {
      operation: 'SET TBLPROPERTIES',
      operationParameters: { properties: JSON.stringify(properties) },
      operationMetrics: {},
      isolationLevel: 'Serializable',
      actions: [{ kind: 'metaData', metaData }],
      conflict: ({ actions }) =>
        actions.some(({ kind }) => kind === 'metaData' || kind === 'protocol') ? 'it came first' : undefined,
    }
    const outcome = await commitChange(store, state, change, options)
    if (outcome.kind === 'committed')
      return { version: outcome.state.version, properties: metaData.configuration }
  }
  const detail = `${TRIES_MAX} attempts lost to writers that changed the metadata`
  throw new PipelineError('KD_COMMIT_CONTENDED', detail, { table: store.uri })
}
