import type { Config } from '../../config/types.ts'

/** The registry of a configuration as a property that is there only where the registry is. */
export function registryOf({
  schemaRegistry,
}: Pick<Config, 'schemaRegistry'>): Pick<Config, 'schemaRegistry'> {
  return schemaRegistry === undefined ? {} : { schemaRegistry }
}
