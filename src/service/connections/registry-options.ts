import type { Config, TopicConfig } from '../../../config/types.ts'
import type { RegistryOptions } from '../../registry/registry.ts'
import type { Circuits } from '../../resilience/circuits.ts'
import { patienceOf } from './retry-options.ts'

/**
 * The registry of a configuration as a property that is there only where the registry is, asked as hard as the topic says;
 * with `circuits` it is waited for while it fails.
 */
export function registryOf(
  { schemaRegistry }: Pick<Config, 'schemaRegistry'>,
  topic: Pick<TopicConfig, 'retry'>,
  circuits: Circuits | undefined,
): { readonly schemaRegistry?: RegistryOptions } {
  if (schemaRegistry === undefined) return {}
  if (circuits === undefined) return { schemaRegistry }
  const circuit = circuits.registry(schemaRegistry.url)
  return { schemaRegistry: { ...schemaRegistry, patience: patienceOf(topic), circuit } }
}
