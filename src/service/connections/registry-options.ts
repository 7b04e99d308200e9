import type { Config, TopicConfig } from '../../../config/types.ts'
import type { SchemaRegistryOptions } from '../../registry/registry.ts'
import type { Circuits } from '../../resilience/circuit-registry.ts'
import { retryPolicyOf } from './retry-options.ts'

/**
 * Returns the property `schemaRegistry` for the topic's retry policy, or no property when no registry is configured.
 * With `circuits`, a failing registry is waited for.
 */
export function registryOptionsOf(
  { schemaRegistry }: Pick<Config, 'schemaRegistry'>,
  topic: Pick<TopicConfig, 'retry'>,
  circuits: Circuits | undefined,
): { readonly schemaRegistry?: SchemaRegistryOptions } {
  if (schemaRegistry === undefined) return {}
  if (circuits === undefined) return { schemaRegistry }
  const circuit = circuits.registry(schemaRegistry.url)
  return { schemaRegistry: { ...schemaRegistry, retryPolicy: retryPolicyOf(topic), circuit } }
}
