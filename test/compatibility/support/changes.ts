import { stringify } from 'lossless-json'

/** A field of a Kafka Connect struct as the JSON converter describes it. */
export type ConnectField = readonly [field: string, type: string, name?: string | undefined, more?: object]

/** Returns the schema that the JSON converter writes beside the payload. */
export function connectStruct(fields: readonly ConnectField[], field?: string): object {
  return {
    type: 'struct',
    optional: true,
    ...(field === undefined ? {} : { field }),
    fields: fields.map(([name, type, logical, more = {}]) => ({
      field: name,
      type,
      optional: true,
      ...(logical === undefined ? {} : { name: logical, version: 1 }),
      ...more,
    })),
  }
}

/** The source of an event; the columns that the service makes of it by default are `__op`, `__table`, `__source_ts_ms`. */
export const SOURCE = {
  connector: 'postgresql',
  db: 'shop',
  schema: 'public',
  table: 'orders',
  ts_ms: 1_772_323_200_000,
}

/** Returns an event of Debezium. */
export function changeOf(op: string, before: unknown, after: unknown, more: object = {}): object {
  return { before, after, source: SOURCE, op, ts_ms: 1_772_323_200_500, transaction: null, ...more }
}

/** Returns an event in JSON with the schema of its row beside it. */
export function describedChange(fields: readonly ConnectField[], after: unknown, op = 'c'): string {
  const schema = {
    type: 'struct',
    name: 'shop.public.orders.Envelope',
    fields: [connectStruct(fields, 'before'), connectStruct(fields, 'after')],
  }
  const [before, now] = op === 'd' ? [after, null] : [null, after]
  return stringify({ schema, payload: changeOf(op, before, now) }) ?? ''
}
