import { readFile } from 'node:fs/promises'
import { messageOf, PipelineError } from '../core/errors.ts'
import { loadContract } from './contract.ts'
import type { Contract } from './contract.ts'

/**
 * The contract in the JSON Schema file at `path`.
 * @throws KD_CONTRACT_INVALID where the file cannot be read, is not JSON, or is no usable contract.
 */
export async function readContract(path: string): Promise<Contract> {
  return loadContract(await readJson(path), { source: path })
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse((await readFile(path, 'utf8')).replace(/^\ufeff/, '')) as unknown
  } catch (error) {
    throw new PipelineError('KD_CONTRACT_INVALID', messageOf(error), { source: path }, { cause: error })
  }
}
