import type { Observable } from 'rxjs'
import type { PipelineCommit } from '../../operators/commit-offsets.ts'
import type { RowOperator } from '../../operators/rows/row-operator.ts'
import type { KafkaToDeltaOptions } from './chain-options.ts'
import { carryChain } from './carry-chain.ts'

/** Takes the options of a chain and up to nine operators, each of which takes the rows of the one before. */
export interface KafkaToDelta {
  <A extends object>(options: KafkaToDeltaOptions<A>): Observable<PipelineCommit>
  <A extends object, B extends object>(
    options: KafkaToDeltaOptions<A>,
    op1: RowOperator<A, B>,
  ): Observable<PipelineCommit>
  <A extends object, B extends object, C extends object>(
    options: KafkaToDeltaOptions<A>,
    op1: RowOperator<A, B>,
    op2: RowOperator<B, C>,
  ): Observable<PipelineCommit>
  <A extends object, B extends object, C extends object, D extends object>(
    options: KafkaToDeltaOptions<A>,
    op1: RowOperator<A, B>,
    op2: RowOperator<B, C>,
    op3: RowOperator<C, D>,
  ): Observable<PipelineCommit>
  <A extends object, B extends object, C extends object, D extends object, E extends object>(
    options: KafkaToDeltaOptions<A>,
    op1: RowOperator<A, B>,
    op2: RowOperator<B, C>,
    op3: RowOperator<C, D>,
    op4: RowOperator<D, E>,
  ): Observable<PipelineCommit>
  <
    A extends object,
    B extends object,
    C extends object,
    D extends object,
    E extends object,
    F extends object,
  >(
    options: KafkaToDeltaOptions<A>,
    op1: RowOperator<A, B>,
    op2: RowOperator<B, C>,
    op3: RowOperator<C, D>,
    op4: RowOperator<D, E>,
    op5: RowOperator<E, F>,
  ): Observable<PipelineCommit>
  <
    A extends object,
    B extends object,
    C extends object,
    D extends object,
    E extends object,
    F extends object,
    G extends object,
  >(
    options: KafkaToDeltaOptions<A>,
    op1: RowOperator<A, B>,
    op2: RowOperator<B, C>,
    op3: RowOperator<C, D>,
    op4: RowOperator<D, E>,
    op5: RowOperator<E, F>,
    op6: RowOperator<F, G>,
  ): Observable<PipelineCommit>
  <
    A extends object,
    B extends object,
    C extends object,
    D extends object,
    E extends object,
    F extends object,
    G extends object,
    H extends object,
  >(
    options: KafkaToDeltaOptions<A>,
    op1: RowOperator<A, B>,
    op2: RowOperator<B, C>,
    op3: RowOperator<C, D>,
    op4: RowOperator<D, E>,
    op5: RowOperator<E, F>,
    op6: RowOperator<F, G>,
    op7: RowOperator<G, H>,
  ): Observable<PipelineCommit>
  <
    A extends object,
    B extends object,
    C extends object,
    D extends object,
    E extends object,
    F extends object,
    G extends object,
    H extends object,
    I extends object,
  >(
    options: KafkaToDeltaOptions<A>,
    op1: RowOperator<A, B>,
    op2: RowOperator<B, C>,
    op3: RowOperator<C, D>,
    op4: RowOperator<D, E>,
    op5: RowOperator<E, F>,
    op6: RowOperator<F, G>,
    op7: RowOperator<G, H>,
    op8: RowOperator<H, I>,
  ): Observable<PipelineCommit>
  <
    A extends object,
    B extends object,
    C extends object,
    D extends object,
    E extends object,
    F extends object,
    G extends object,
    H extends object,
    I extends object,
    J extends object,
  >(
    options: KafkaToDeltaOptions<A>,
    op1: RowOperator<A, B>,
    op2: RowOperator<B, C>,
    op3: RowOperator<C, D>,
    op4: RowOperator<D, E>,
    op5: RowOperator<E, F>,
    op6: RowOperator<F, G>,
    op7: RowOperator<G, H>,
    op8: RowOperator<H, I>,
    op9: RowOperator<I, J>,
  ): Observable<PipelineCommit>
}

/**
 * Carries a Kafka topic through operators on rows into a Delta table, exactly once, and emits each commit. The table is
 * created with the columns after the operators if it does not exist.
 *
 * Each subscription opens the source and the table anew and continues after the offsets in the table, so that `retry`,
 * `repeat` and `defer` work. It completes when the topic has caught up (`until: 'latest'`) or `signal` is aborted, and only
 * once everything is closed. Unsubscribing drops what is not committed; the next subscription reads it again.
 *
 * Every error is a `PipelineError`: KD_CONFIG_INVALID for options, KD_OPERATOR_FAILED for code of the caller that throws,
 * and the codes of the service.
 */
export const kafkaToDelta: KafkaToDelta = (
  options: KafkaToDeltaOptions<object>,
  ...operators: readonly RowOperator<never, object>[]
): Observable<PipelineCommit> => carryChain(options, operators)
