import type { TopicConfig } from '../types.ts'

/** Returns where the dead letters of a topic are stored: nowhere in the modes `skip` and `stop`. */
export function deadLetterSinksOf({ deadLetters }: Pick<TopicConfig, 'deadLetters'>): {
  readonly topic: boolean
  readonly table: boolean
} {
  const { mode, to, table } = deadLetters
  if (mode !== 'dlq') return { topic: false, table: false }
  const chosen = to ?? (table === undefined ? 'topic' : 'table')
  return { topic: chosen !== 'table', table: chosen !== 'topic' }
}

/** Returns the URI of the replay ledger: the table that records which dead letters were replayed or discarded. */
export function replayLedgerUriOf({
  deadLetters,
  table,
}: Pick<TopicConfig, 'deadLetters' | 'table'>): string {
  return deadLetters.replayLedger ?? `${trimTrailingSlashes(deadLetters.table ?? table.uri)}-marks`
}

/** Returns a URI without trailing slashes. */
export function trimTrailingSlashes(uri: string): string {
  return uri.replace(/\/+$/, '')
}
