import type { SampleEvent, SampleKind, SampleOptions } from './event.ts'
import { generateOrderEvents, ORDER_EVENTS } from './order-events.ts'
import { generateUserEvents, USER_EVENTS } from './user-events.ts'
import { generateWebRequests, WEB_REQUESTS } from './web-requests.ts'

/** Names a kind of generated events. */
export type SampleKindName = 'user' | 'order' | 'web'

/** Maps each kind to its generator and to the topic that the examples use for it. */
export const SAMPLE_KINDS: Readonly<
  Record<
    SampleKindName,
    {
      readonly events: (options: SampleOptions) => Iterable<SampleEvent>
      readonly kind: SampleKind
      readonly topic: string
    }
  >
> = {
  user: { events: generateUserEvents, kind: USER_EVENTS, topic: 'user.events.v1' },
  order: { events: generateOrderEvents, kind: ORDER_EVENTS, topic: 'order.events.v1' },
  web: { events: generateWebRequests, kind: WEB_REQUESTS, topic: 'web_requests' },
}

/** Lists the names of all kinds. */
export const SAMPLE_KIND_NAMES = Object.keys(SAMPLE_KINDS) as readonly SampleKindName[]
