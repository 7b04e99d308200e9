/**
 * Names the policy for fields that neither the contract nor the table has, and for columns of the contract that the
 * table lacks: `addNewColumns` adds them to the table, `rescue` keeps them as JSON in the column `_rescued_data`,
 * `failOnNewColumns` stops the topic, and `none` drops and counts them.
 */
export type SchemaEvolution = 'addNewColumns' | 'rescue' | 'failOnNewColumns' | 'none'

/** Limits the fields, at any depth, that messages may add to a table by default. */
export const INFERRED_FIELDS_MAX = 500

/** Names the column for values without a fitting column: a JSON object, or null when there are none. */
export const RESCUED_DATA = '_rescued_data'
