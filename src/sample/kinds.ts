import type { SampleEvent, SampleOptions } from './event.ts'
import { orderEvents } from './order-events.ts'
import { userEvents } from './user-events.ts'
import { webRequests } from './web-requests.ts'

/** A kind of events that can be generated. */
export type KindName = 'user' | 'order' | 'web'

/** Every kind by its name: how its events are made, and the topic that the examples keep them in. */
export const KINDS: Readonly<
  Record<
    KindName,
    { readonly events: (options: SampleOptions) => Iterable<SampleEvent>; readonly topic: string }
  >
> = {
  user: { events: userEvents, topic: 'user.events.v1' },
  order: { events: orderEvents, topic: 'order.events.v1' },
  web: { events: webRequests, topic: 'web_requests' },
}

/** Every kind's name. */
export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[]
