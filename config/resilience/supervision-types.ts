import type { OptionValues } from '../option-values.ts'
import type { SUPERVISION_OPTIONS } from './supervision-options.ts'

/** Names what happens to the other topics when one fails permanently. */
export type OnFailure = OptionValues<typeof SUPERVISION_OPTIONS>['onFailure']
