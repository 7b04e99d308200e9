import type { OptionValues } from '../option-values.ts'
import type { TRANSFORM_OPTIONS } from './options.ts'

/** Configures how messages of a topic are filtered and transformed. `parsePath` parses the paths. */
export type TransformConfig = OptionValues<typeof TRANSFORM_OPTIONS>
