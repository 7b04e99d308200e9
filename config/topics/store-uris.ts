import { storeUriFault } from '../../src/core/uri/store-uri.ts'
import type { ReportFault } from '../report.ts'
import type { TopicConfig } from '../types.ts'
import { fillPlaceholder } from './templates.ts'

/** Reports the locations of tables that no store can open. */
export function checkStoreUris({ table, deadLetters }: TopicConfig, report: ReportFault): void {
  // A missing `table.uri` is reported as a required option.
  const uris: readonly (readonly [string, string | undefined])[] = [
    ['table.uri', table.uri],
    ['deadLetters.table', deadLetters.table],
    ['deadLetters.replayLedger', deadLetters.replayLedger],
  ]
  for (const [key, uri] of uris) {
    const fault = uri === undefined ? undefined : storeUriFault(fillPlaceholder(uri))
    if (fault !== undefined) report([key], fault)
  }
}
