import type { Contract } from '../contract/contract.ts'
import { messageOf } from '../core/errors.ts'
import { coerceMessage } from './coerce-message.ts'
import type { SchemaEvolution } from './policy.ts'

/**
 * Returns a function that checks messages against a contract before they are transformed, as leniently as rows are
 * checked: keys in another case and values that the policy rescues are valid. It returns the fault, or `undefined`
 * for a valid message.
 */
export function createMessageCheck(
  contract: Contract,
  policy: SchemaEvolution,
): (message: unknown) => string | undefined {
  return (message) => {
    const fault = contract.check(message)
    if (fault === undefined || typeof message !== 'object' || message === null) return fault
    try {
      const { row } = coerceMessage(message, contract.schema, {
        rescues: policy === 'rescue',
        jsonTextColumns: 'none',
      })
      return row === message ? fault : contract.check(row)
    } catch (error) {
      // Nesting too deep for the stack is a fault of the message.
      if (!(error instanceof RangeError)) throw error
      return `/ could not be checked: ${messageOf(error)}`
    }
  }
}
