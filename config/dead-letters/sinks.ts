import type { TopicConfig } from '../types.ts'

/** Where the dead letters of a topic are kept: nowhere under the modes `skip` and `stop`. */
export function deadLetterSinks({ deadLetters }: Pick<TopicConfig, 'deadLetters'>): {
  readonly topic: boolean
  readonly table: boolean
} {
  const { mode, to, table } = deadLetters
  if (mode !== 'dlq') return { topic: false, table: false }
  const chosen = to ?? (table === undefined ? 'topic' : 'table')
  return { topic: chosen !== 'table', table: chosen !== 'topic' }
}

/** The table that notes which dead letters were played again or discarded. */
export function marksOf({ deadLetters, table }: Pick<TopicConfig, 'deadLetters' | 'table'>): string {
  return deadLetters.marks ?? `${plainUri(deadLetters.table ?? table.uri)}-marks`
}

/** A URI without slashes at its end. */
export function plainUri(uri: string): string {
  return uri.replace(/\/+$/, '')
}
