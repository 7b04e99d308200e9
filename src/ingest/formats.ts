import type { IngestFlags } from './options.ts'

/** How messages are read: options of a topic, and the address of the registry where one is asked. */
export interface IngestFormat {
  readonly topic: object
  readonly registry?: string
}

/** Which of `--json`, `--avro` and `--soe-avro` was given comes to which format. Without any, messages are JSON. */
export function formatOf({ texts, flags }: IngestFlags, report: (fault: string) => void): IngestFormat {
  const given = ['json', 'avro', 'soe-avro'].filter((name) => texts[name] !== undefined)
  if (given.length > 1) report(`${given.map((name) => `--${name}`).join(' and ')}: only one of them can be`)
  // By the first bytes of a value, so that one that is not compressed is read as it is.
  const decompress = flags.has('decompress_gzip') ? { decompress: 'auto' } : {}
  const { json, avro, 'soe-avro': single } = texts
  if (avro !== undefined) return avroOf(avro, decompress, report)
  if (single !== undefined) {
    if (single === '') report('--soe-avro: expected a schema file or a folder of them, got nothing')
    return { topic: { format: 'avro', framing: 'single-object', avro: { schemas: single }, ...decompress } }
  }
  const registry = json === undefined ? undefined : registryOf('json', json, report)
  return registry === undefined
    ? { topic: { format: 'json', ...decompress } }
    : { topic: { format: 'json', framing: 'registry', ...decompress }, registry }
}

function avroOf(text: string, decompress: object, report: (fault: string) => void): IngestFormat {
  const registry = registryOf('avro', text, report)
  if (registry !== undefined)
    return { topic: { format: 'avro', framing: 'registry', ...decompress }, registry }
  return {
    topic: {
      format: 'avro',
      framing: 'container',
      ...(text === '' ? {} : { avro: { readerSchema: text } }),
      ...decompress,
    },
  }
}

/** The address of a registry; `undefined` for a text that is none. What only looks like one goes to `report`. */
function registryOf(option: string, text: string, report: (fault: string) => void): string | undefined {
  if (!text.startsWith('http')) return undefined
  if (URL.canParse(text) && /^https?:\/\//.test(text)) return text.replace(/\/+$/, '')
  report(`--${option}: expected the address of a registry, got ${text}`)
  return undefined
}
