import { catchError, concat, defer, EMPTY, identity, map, merge, throwError } from 'rxjs'
import type { MonoTypeOperatorFunction, Observable } from 'rxjs'
import type { PipelineCommit } from '../../operators/commit-offsets.ts'
import type { RowOperator } from '../../operators/rows/row-operator.ts'
import type { Row } from '../arrow/rows.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import type { ChainSourceOptions, KafkaToDeltaOptions } from './chain-options.ts'
import { carryChain } from './carry-chain.ts'

/** Describes one of the tables that a topic is carried into. */
export interface Route<T extends object = Row> extends Partial<Omit<KafkaToDeltaOptions<T>, RouteShared>> {
  /** Part of the consumer group and of the appId of the route: a route with another name starts from the beginning. */
  readonly name: string
  readonly table: KafkaToDeltaOptions['table']
  /** Operators on rows, in order; rows that the route leaves out are counted as filtered. */
  readonly operators?:
    readonly [] | readonly [RowOperator<T, object>, ...(readonly RowOperator<never, object>[])]
}

/** Names the options that all routes share. */
type RouteShared = 'brokers' | 'topic' | 'format' | 'groupId' | 'appId' | 'signal' | 'until'

/** Describes a commit to the table of one route. */
export interface RouteCommit extends PipelineCommit {
  /** Name of the route. */
  readonly route: string
}

/** Configures how routes fail. */
export interface FanOutOptions {
  /** Applied to the chain of each route, for example `restartFailures()`; by default a route that fails has ended. */
  readonly each?: MonoTypeOperatorFunction<PipelineCommit>
  /** Called when a route has ended with an error, while the others go on; `log`, if given, has a line of it. */
  readonly onRouteFailed?: (route: string, error: unknown) => void
}

/**
 * Carries one topic into several tables, each exactly once, and emits the commits with the name of their route. Each route
 * has a chain, a source and a consumer group of its own, so that no table waits for another.
 *
 * A route that fails leaves the others running. Once all routes have ended, the first error is passed on. Records that
 * cannot be decoded or violate the contract are the same for all routes, so only the first route stores them as dead letters.
 *
 * @throws KD_CONFIG_INVALID, as an error of the stream, if there is no route or two have the same name
 */
export function fanOut<T extends object = Row>(
  source: ChainSourceOptions<T>,
  routes: readonly Route<T>[],
  { each = identity, onRouteFailed }: FanOutOptions = {},
): Observable<RouteCommit> {
  return defer(() => {
    const names = new Set(routes.map(({ name }) => name))
    if (routes.length === 0 || names.size < routes.length)
      return throwError(
        () =>
          new PipelineError(
            'KD_CONFIG_INVALID',
            'routes: expected at least one, each with a name of its own',
          ),
      )
    const failures: unknown[] = []
    const chains = routes.map((route, index) => {
      const { name, operators = [] } = route
      const storesUnreadable = index === 0
      return carryChain(routeOptionsOf(source, route), operators, { storesUnreadable }).pipe(
        each,
        map((commit): RouteCommit => ({ ...commit, route: name })),
        catchError((error: unknown) => {
          failures.push(error)
          onRouteFailed?.(name, error)
          source.log?.error(
            { topic: source.topic, route: name, err: error },
            `Route ${name} has failed; the other routes go on: ${messageOf(error)}`,
          )
          return EMPTY
        }),
      )
    })
    const end = defer(() => (failures.length === 0 ? EMPTY : throwError(() => failures[0])))
    return concat(merge(...chains), end)
  })
}

function routeOptionsOf<T extends object>(
  source: ChainSourceOptions<T>,
  route: Route<T>,
): KafkaToDeltaOptions<T> {
  const { name } = route
  // A group of each table is the default of a chain.
  const group = source.groupId === undefined ? {} : { groupId: `${source.groupId}-${name}` }
  const appId = source.appId === undefined ? {} : { appId: `${source.appId}-${name}` }
  return { ...source, ...route, ...group, ...appId }
}
