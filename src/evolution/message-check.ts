import type { Contract } from '../contract/contract.ts'
import { isMessageObject } from '../core/exact.ts'
import { messageOf } from '../core/errors.ts'
import { withoutRescued } from './coerce-message.ts'
import type { SchemaEvolution } from './policy.ts'

/**
 * Returns a function that checks messages against a contract before they are transformed, as leniently as rows are
 * checked: values that the policy rescues are valid. It returns the fault, or `undefined`
 * for a valid message.
 */
export function createMessageCheck(
  contract: Pick<Contract, 'schema' | 'check'>,
  policy: SchemaEvolution,
): (message: unknown) => string | undefined {
  return (message) => {
    const fault = contract.check(message)
    if (policy !== 'rescue' || fault === undefined || !isMessageObject(message)) return fault
    try {
      const rest = withoutRescued(message, contract.schema)
      return rest === message ? fault : contract.check(rest)
    } catch (error) {
      // Nesting too deep for the stack is a fault of the message.
      if (!(error instanceof RangeError)) throw error
      return `/ could not be checked: ${messageOf(error)}`
    }
  }
}
