/** A way in which a record can be bad. */
export type BadKind = (typeof BAD_KINDS)[number]

/** All ways, in the order in which `userEvents` goes through them. */
export const BAD_KINDS = [
  'not-json',
  'wrong-type',
  'missing-required',
  'invalid-utf8',
  'out-of-range',
  'empty-value',
  'impossible-date',
  'unknown-enum',
  'not-an-object',
  'too-deep',
] as const

const DEPTH = 1_000

/** The JSON text of a good user event, made bad in the way asked for. */
export function spoil(json: string, kind: BadKind): Buffer {
  switch (kind) {
    case 'not-json':
      return Buffer.from(json.slice(0, json.length / 2))
    case 'wrong-type':
      return Buffer.from(json.replace(/"user_id":\d+/, '"user_id":"unknown"'))
    case 'missing-required':
      return Buffer.from(json.replace(/"event_type":"[a-z_]+",/, ''))
    case 'invalid-utf8':
      return invalidUtf8(json)
    case 'out-of-range':
      return Buffer.from(json.replace(/"user_id":\d+/, '"user_id":9223372036854775808'))
    case 'empty-value':
      return Buffer.alloc(0)
    case 'impossible-date':
      return Buffer.from(json.replace(/"timestamp":"\d{4}-\d\d-\d\d/, '"timestamp":"2026-02-30'))
    case 'unknown-enum':
      return Buffer.from(json.replace(/"event_type":"[a-z_]+"/, '"event_type":"teleport"'))
    case 'not-an-object':
      return Buffer.from(`[${json}]`)
    case 'too-deep':
      return Buffer.from(json.replace('"tags":', `"tags":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)},"more":`))
  }
}

function invalidUtf8(json: string): Buffer {
  const bytes = Buffer.from(json)
  // The first letter of the page becomes a byte that no UTF-8 text holds.
  bytes[bytes.indexOf('"page":"') + '"page":"'.length] = 0xff
  return bytes
}
