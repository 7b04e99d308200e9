import { loadContract, type Contract } from '../../contract/contract.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { RegisteredSchema } from '../../registry/registry.ts'

/**
 * The contract that a registered JSON Schema is, together with the registered ones that it refers to by their names.
 * @throws KD_CONTRACT_INVALID with every fault: no JSON Schema, references that lead nowhere, types that no column can take.
 */
export function registeredContract({ type, text, references }: RegisteredSchema, source: string): Contract {
  if (type !== 'JSON') throw faultOf(`expected a JSON Schema, got a schema of ${type}`, source)
  const documents = new Map(references.map((one) => [one.name, parsed(one.text, source, `${one.name}: `)]))
  return loadContract(parsed(text, source), { source, documents })
}

function parsed(text: string, source: string, place = ''): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw faultOf(place + messageOf(error), source)
  }
}

function faultOf(detail: string, source: string): PipelineError {
  return new PipelineError('KD_CONTRACT_INVALID', detail, { source })
}
