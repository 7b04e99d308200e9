import type { OptionValues } from '../option-values.ts'
import type { MESSAGE_OPTIONS } from './options.ts'

/** Limits the sample from which the columns of a new table are inferred; the first limit that is reached counts. */
export type InferenceConfig = OptionValues<typeof MESSAGE_OPTIONS>['inference']
