import type { IngestFlags } from './options.ts'

/** Describes how messages are decoded: options of the topic, and the URL of the schema registry if one is used. */
interface IngestFormat {
  readonly topic: object
  readonly registry?: string
}

/** Translates `--json`, `--avro` and `--soe-avro` to a format. Without any of them messages are JSON. */
export function ingestFormatOf({ texts, flags }: IngestFlags, report: (fault: string) => void): IngestFormat {
  const given = ['json', 'avro', 'soe-avro'].filter((name) => texts[name] !== undefined)
  if (given.length > 1)
    report(`${given.map((name) => `--${name}`).join(' and ')}: only one of them can be given`)
  // `auto` detects compression by the magic bytes of a value, so that uncompressed values are accepted too.
  const decompress = flags.has('decompress_gzip') ? { decompress: 'auto' } : {}
  const { json, avro, 'soe-avro': single } = texts
  if (avro !== undefined) return avroFormatOf(avro, decompress, report)
  if (single !== undefined) {
    if (single === '') report('--soe-avro: expected a schema file or a folder of them, got nothing')
    return { topic: { format: 'avro', framing: 'single-object', avro: { schemas: single }, ...decompress } }
  }
  const registry = json === undefined ? undefined : registryUrlOf('json', json, report)
  return registry === undefined
    ? { topic: { format: 'json', ...decompress } }
    : { topic: { format: 'json', framing: 'registry', ...decompress }, registry }
}

function avroFormatOf(text: string, decompress: object, report: (fault: string) => void): IngestFormat {
  const registry = registryUrlOf('avro', text, report)
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

/** Returns the URL of a schema registry, or `undefined` when the text is not a URL. A malformed URL is reported. */
function registryUrlOf(option: string, text: string, report: (fault: string) => void): string | undefined {
  if (!text.startsWith('http')) return undefined
  if (URL.canParse(text) && /^https?:\/\//.test(text)) return text.replace(/\/+$/, '')
  report(`--${option}: expected the URL of a schema registry, got ${text}`)
  return undefined
}
