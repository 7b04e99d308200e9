import type { Contract } from '../contract/contract.ts'
import { messageOf } from '../core/errors.ts'
import { fit } from './fit.ts'
import type { SchemaEvolution } from './policy.ts'

/**
 * Holds messages to a contract before they are transformed, by the same measure as rows that are not: what a column takes
 * in another case, or what the policy rescues, is no fault. Gives what the contract says, `undefined` for a valid message.
 */
export function messageCheck(
  contract: Contract,
  policy: SchemaEvolution,
): (message: unknown) => string | undefined {
  return (message) => {
    const fault = contract.check(message)
    if (fault === undefined || typeof message !== 'object' || message === null) return fault
    try {
      const { row } = fit(message, contract.schema, { rescues: policy === 'rescue', lenient: 'none' })
      return row === message ? fault : contract.check(row)
    } catch (error) {
      // Nesting beyond the stack: the message is at fault.
      if (!(error instanceof RangeError)) throw error
      return `/ could not be checked: ${messageOf(error)}`
    }
  }
}
