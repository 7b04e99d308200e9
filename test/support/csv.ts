import type { CsvSettings } from '../../src/formats/settings.ts'

/** CSV as it is written where nothing is said. */
export const CSV: CsvSettings = { delimiter: ',', quote: '"', header: false, nullWords: [] }
