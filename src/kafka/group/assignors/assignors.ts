import type { Assignor } from './assignor.ts'
import { BY_SUBSCRIPTION } from './by-subscription.ts'
import { COOPERATIVE_STICKY } from './cooperative-sticky.ts'
import { RANGE } from './range.ts'

/**
 * Lists the classic assignment protocols in order of preference. A group uses one that all its members support:
 * `cooperative-sticky` among current workers and with Java or librdkafka consumers that support it,
 * `kafka-delta-by-subscription` together with older workers, and `range` together with consumers of that default.
 */
export const ASSIGNORS: readonly Assignor[] = [COOPERATIVE_STICKY, BY_SUBSCRIPTION, RANGE]
