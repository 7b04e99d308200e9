/**
 * Columns from an HTTP service: each order gets the country of its customer, with at most 32 requests at once. Rows keep
 * their order, a customer that does not exist is a dead letter, and a service that fails is asked again later.
 *
 * In your own project, import from 'kafka-delta'.
 */
import type { Observable } from 'rxjs'
import {
  columns,
  json,
  kafkaToDelta,
  mapRowsAsync,
  retryLater,
  type KafkaToDeltaOptions,
  type PipelineCommit,
} from '../src/index.ts'

const order = columns({ id: 'long', customer: 'string' })
const located = columns({ id: 'long', customer: 'string', country: 'string?' })

/** Describes the orders, their table, and the service of customers. */
export interface Orders extends Pick<
  KafkaToDeltaOptions,
  'brokers' | 'topic' | 'table' | 'until' | 'groupId' | 'deadLetters'
> {
  readonly customersUrl: string
}

/** Returns the chain of orders with the countries of their customers. */
export function carryLocatedOrders({ customersUrl, ...options }: Orders): Observable<PipelineCommit> {
  return kafkaToDelta(
    { ...options, format: json(order) },
    mapRowsAsync(
      async (row, _info, { signal }) => ({
        ...row,
        country: await countryOf(row.customer, customersUrl, signal),
      }),
      located,
      { concurrency: 32, timeoutMs: 5_000 },
    ),
  )
}

async function countryOf(customer: string, url: string, signal: AbortSignal): Promise<string> {
  const answer = await fetch(`${url}/${encodeURIComponent(customer)}`, { signal }).catch((error: unknown) => {
    throw retryLater(error) // the service does not answer, which is not the fault of the row
  })
  if (answer.status >= 500) throw retryLater(new Error(`the service answers ${answer.status}`))
  if (!answer.ok) throw new Error(`no customer ${customer}`) // a dead letter
  return await answer.text()
}
