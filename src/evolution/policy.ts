/**
 * What becomes of fields that neither contract nor table knows, and of columns of the contract that the table lacks:
 * `addNewColumns` adds them to the table, `rescue` keeps them as JSON in the column `_rescued_data`, `failOnNewColumns`
 * stops, `none` drops and counts them.
 */
export type SchemaEvolution = 'addNewColumns' | 'rescue' | 'failOnNewColumns' | 'none'

/** Fields, at any depth, that messages may add to a table. */
export const LEARNED_MAX = 500

/** The column of what no other column could take: a JSON object, null where there is nothing. */
export const RESCUED_DATA = '_rescued_data'
