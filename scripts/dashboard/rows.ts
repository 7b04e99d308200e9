import type { Row } from './panel.ts'
import { BUDGET, CIRCUITS, MAINTENANCE, NODE } from './process-rows.ts'
import { COMMITS, DEAD_LETTERS, FILES, FLUSHES } from './table-rows.ts'
import { OVERVIEW, TOPICS } from './topic-rows.ts'

/** Lists the rows of the dashboard from top to bottom, first what an operator on call needs. */
export const ROWS: readonly Row[] = [
  OVERVIEW,
  TOPICS,
  FLUSHES,
  COMMITS,
  FILES,
  DEAD_LETTERS,
  BUDGET,
  CIRCUITS,
  MAINTENANCE,
  NODE,
]
