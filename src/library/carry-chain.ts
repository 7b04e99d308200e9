import { Observable } from 'rxjs'
import type { PipelineCommit } from '../../operators/commit-offsets.ts'
import type { RowOperator } from '../../operators/rows/row-operator.ts'
import type { KafkaToDeltaOptions } from './chain-options.ts'
import type { ChainParts, ChainRun } from './chain-run.ts'

/** Returns the chain through `operators` as a stream of its commits; each subscription opens everything anew. */
export function carryChain(
  options: KafkaToDeltaOptions<object>,
  operators: readonly RowOperator<never, object>[],
  parts: ChainParts = {},
): Observable<PipelineCommit> {
  return new Observable((subscriber) => {
    let run: ChainRun | undefined
    const start = async (): Promise<void> => {
      // Service, configuration and log are loaded by the programs that run a chain.
      const loaded = await import('./chain-run.ts')
      if (subscriber.closed) return
      run = new loaded.ChainRun(options, operators, subscriber, parts)
      await run.run()
    }
    start().catch((error: unknown) => subscriber.error(error))
    return () => run?.abandon()
  })
}
