import type { SampleEvent, SampleOptions } from './event.ts'
import { generateOrderEvents } from './order-events.ts'
import { generateUserEvents } from './user-events.ts'
import { generateWebRequests } from './web-requests.ts'

/** Names a kind of generated events. */
export type SampleKindName = 'user' | 'order' | 'web'

/** Maps each kind to its generator and to the topic that the examples use for it. */
export const SAMPLE_KINDS: Readonly<
  Record<
    SampleKindName,
    { readonly events: (options: SampleOptions) => Iterable<SampleEvent>; readonly topic: string }
  >
> = {
  user: { events: generateUserEvents, topic: 'user.events.v1' },
  order: { events: generateOrderEvents, topic: 'order.events.v1' },
  web: { events: generateWebRequests, topic: 'web_requests' },
}

/** Lists the names of all kinds. */
export const SAMPLE_KIND_NAMES = Object.keys(SAMPLE_KINDS) as readonly SampleKindName[]
