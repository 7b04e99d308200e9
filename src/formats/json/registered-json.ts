import { loadContract, type Contract } from '../../contract/contract.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { RegisteredSchema } from '../../registry/registry.ts'

/**
 * Returns the contract of a registered JSON Schema and of the registered schemas that it refers to by name.
 * @throws KD_CONTRACT_INVALID with every fault: not a JSON Schema, unresolved references, types that no column can
 * hold
 */
export function contractOfRegisteredJson(
  { type, text, references }: RegisteredSchema,
  source: string,
): Contract {
  if (type !== 'JSON') throw faultOf(`expected a JSON Schema, got type ${type}`, source)
  const documents = new Map(references.map((one) => [one.name, parsed(one.text, source, `${one.name}: `)]))
  return loadContract(parsed(text, source), { source, documents })
}

function parsed(text: string, source: string, prefix = ''): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw faultOf(prefix + messageOf(error), source)
  }
}

function faultOf(detail: string, source: string): PipelineError {
  return new PipelineError('KD_CONTRACT_INVALID', detail, { source })
}
