import { PipelineError } from '../../src/core/errors.ts'
import { isJsonTree } from '../tree.ts'

/** Describes one fault of a configuration. */
export interface ConfigFault {
  /** The whole sentence, which begins with the key or the file that it is about. */
  readonly text: string
  /** Dotted key of the option; absent for a fault of a file or of the command line. */
  readonly key?: string
  /** The topic in Kafka whose entry has the fault; the name of the entry if the entry names no topic. */
  readonly topic?: string
}

const FAULTS = new WeakMap<object, readonly ConfigFault[]>()

/** Creates the error for a configuration with these faults; `topics` are the entries as they were read. */
export function createConfigError(texts: readonly string[], topics: unknown): PipelineError {
  const count = texts.length === 1 ? '1 fault' : `${texts.length} faults`
  const error = new PipelineError(
    'KD_CONFIG_INVALID',
    [count, ...texts.map((fault) => `  ${fault}`)].join('\n'),
  )
  const entries: Readonly<Record<string, unknown>> = isJsonTree(topics) ? topics : {}
  FAULTS.set(
    error,
    texts.map((text) => faultOf(text, entries)),
  )
  return error
}

/** Returns the faults that an error of `loadConfig` lists; none for any other error. */
export function configFaultsOf(error: unknown): readonly ConfigFault[] {
  return typeof error === 'object' && error !== null ? (FAULTS.get(error) ?? []) : []
}

function faultOf(text: string, entries: Readonly<Record<string, unknown>>): ConfigFault {
  // Names of entries may have dots, spaces and colons of their own, so the longest that matches is the entry.
  const [entry] = Object.keys(entries)
    .filter((name) => [':', '.'].some((end) => text.startsWith(`topics.${name}${end}`)))
    .sort((a, b) => b.length - a.length)
  if (entry === undefined) {
    const key = /^([A-Za-z]\w*(?:[.[][^\s:]*)?): /.exec(text)?.[1]
    return key === undefined ? { text } : { text, key }
  }
  const start = `topics.${entry}`
  const key = start + (/^[^\s:]*/.exec(text.slice(start.length))?.[0] ?? '')
  const settings = entries[entry]
  const topic = isJsonTree(settings) && typeof settings['topic'] === 'string' ? settings['topic'] : entry
  return { text, key, topic }
}
