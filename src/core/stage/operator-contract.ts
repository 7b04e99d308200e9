import type { OperatorFunction } from 'rxjs'
import type { Batch } from '../batch.ts'

/** Sets the limits of a checked operator. */
export interface OperatorContractOptions {
  /** Milliseconds after which a batch that the operator holds back ends the stream; 5 minutes by default. */
  readonly heldMsMax?: number
}

/**
 * Checks an operator against its contract: one batch in, one batch out, in order, with the provenance unchanged. `name`
 * identifies the operator in errors.
 * @throws KD_OPERATOR_INVALID if the operator breaks the contract, as an error of the stream
 * @throws KD_OPERATOR_FAILED if the operator throws or errors with anything but a `PipelineError`
 */
export function checkedOperator<A, B>(
  _name: string,
  operator: OperatorFunction<Batch<A>, Batch<B>>,
  _options?: OperatorContractOptions,
): OperatorFunction<Batch<A>, Batch<B>> {
  return operator
}
