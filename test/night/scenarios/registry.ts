import { encoderOf } from '../../support/values/avro-values.ts'
import type { SampleEvent } from '../../../src/sample/event.ts'
import type { Said, Scenario } from '../support/scenario.ts'
import { isTopicState } from '../support/wanted.ts'

const FIRST = { type: 'record', name: 'Event', fields: [{ name: 'event_id', type: 'string' }] }
const SECOND = {
  ...FIRST,
  fields: [...FIRST.fields, { name: 'country', type: ['null', 'string'], default: null }],
}
const DOWN: Said = {
  code: 503,
  readiness: ['unavailable'],
  server: { kind: 'registries', states: ['open', 'half-open'], reason: /./ },
  topics: { orders: { states: ['waiting'], reason: /http/ } },
  lines: [{ level: 'warn', text: /^Circuit opened for http/ }],
  metrics: [
    { name: 'kafka_delta_circuit_state', labels: { kind: 'registry' }, is: (value) => (value ?? 0) >= 1 },
    isTopicState('waiting'),
  ],
  alert: 'KafkaDeltaCircuitOpen',
}

/** Faults of the schema registry. */
export const REGISTRY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'no-registry-at-start',
    fault: 'The service is started, and the schema registry does not answer',
    does: 'topics that need it wait and open once it answers',
    remedy: 'check `schemaRegistry.url` and the registry',
    prepare: async (night) => {
      const { url, proxy } = await night.registry()
      const id = await registered(url, 'first-value', FIRST)
      const orders = await night.topic({ message: (event) => avro(event, id, FIRST) })
      const entry = orders.entry({
        format: 'avro',
        framing: 'registry',
        contract: undefined,
        subject: 'first-value',
      })
      await proxy.set('refuse')
      return {
        config: await night.config({ orders: entry }, { schemaRegistry: { url: proxy.endpoint } }),
        said: DOWN,
        remedy: () => proxy.set('pass'),
        exact: [orders],
      }
    },
  },
  {
    name: 'registry-dies',
    fault: 'The schema registry dies, and records with a new schema id come',
    does: 'records whose schema is unknown wait: none becomes a dead letter',
    remedy: 'start the registry; nothing at the service',
    prepare: async (night) => {
      const { url, proxy } = await night.registry()
      let [id, schema]: [number, object] = [await registered(url, 'second-value', FIRST), FIRST]
      const later = await registered(url, 'second-value', SECOND)
      const orders = await night.topic({ message: (event) => avro(event, id, schema) })
      const entry = orders.entry({
        format: 'avro',
        framing: 'registry',
        contract: undefined,
        subject: 'second-value',
      })
      return {
        config: await night.config({ orders: entry }, { schemaRegistry: { url: proxy.endpoint } }),
        fault: async () => {
          await proxy.set('refuse')
          ;[id, schema] = [later, SECOND]
        },
        said: DOWN,
        remedy: () => proxy.set('pass'),
        exact: [orders],
      }
    },
  },
]

/** Makes an event a record of Avro; those that are bad on purpose stay. */
function avro(
  { key, value, bad }: SampleEvent,
  id: number,
  schema: object,
): { key: SampleEvent['key']; value: Buffer } {
  if (bad !== undefined) return { key, value: Buffer.from(value) }
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(id, 1)
  const { event_id, country } = JSON.parse(value.toString()) as { event_id: string; country: string }
  return { key, value: Buffer.concat([frame, encoderOf(schema)({ event_id, country: { string: country } })]) }
}

async function registered(url: string, subject: string, schema: object): Promise<number> {
  const answer = await fetch(`${url}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  })
  const { id } = (await answer.json()) as { id?: number }
  if (id === undefined) throw new Error(`the registry answered ${answer.status}`)
  return id
}
