import type { RegisteredSchema } from '../../registry/registry.ts'
import type { ObjectReason } from '../format.ts'
import { KnownSchemas, registryFrom } from '../framing/known-schemas.ts'
import { registryOf } from '../framing/registry-framing.ts'
import type { SchemaId } from '../framing/schema-id.ts'
import { filesFrom, RecordedFiles, type ReadFiles } from '../schema-files.ts'
import type { FormatChoice } from '../settings.ts'

/** Describes a format as plain data, so that another thread opens the same one: it asks neither disk nor registry. */
export interface ThreadFormat {
  readonly choice: Omit<FormatChoice, 'schemaRegistry' | 'registry' | 'files'>
  readonly files: ReadFiles
  /** The schemas that the registry has returned so far; absent without a registry. */
  readonly registered: RegisteredSchemas | undefined
}

/** Holds the schemas that the registry has returned, by their ids. */
export interface RegisteredSchemas {
  readonly url: string
  readonly schemas: ReadonlyMap<SchemaId, RegisteredSchema>
}

/** Returns why worker threads do not decode the values of a topic, for people, or `undefined` when they do. */
export function mainThreadReason(choice: FormatChoice): ObjectReason | undefined {
  const { format, formats, framing, envelope } = choice
  if (formats !== undefined)
    return { subject: 'formats', reason: 'the format of each value is detected on the main thread' }
  if (format === 'jsonl' || (format === 'avro' && framing === 'container'))
    return { subject: 'format', reason: 'messages of several records are taken apart on the main thread' }
  if (envelope === 'debezium' && !(format === 'avro' || (format === 'json' && framing === 'none')))
    return { subject: 'envelope', reason: 'only events in JSON and Avro become columns' }
  return undefined
}

/** Collects what opening a format reads, and describes the format to threads. */
export class ThreadFormatRecorder {
  /** The choice with which the format is to be opened on this thread. */
  readonly choice: FormatChoice
  readonly #plain: ThreadFormat['choice']
  readonly #files = new RecordedFiles()
  readonly #schemas: KnownSchemas | undefined
  #latest: ThreadFormat | undefined

  constructor(choice: FormatChoice) {
    const isRegistered = choice.registry !== undefined || choice.schemaRegistry !== undefined
    this.#schemas = isRegistered ? new KnownSchemas(registryOf(choice)) : undefined
    this.#plain = plainChoiceOf(choice)
    this.choice = {
      ...choice,
      files: this.#files,
      ...(this.#schemas === undefined ? {} : { registry: this.#schemas }),
    }
  }

  /**
   * Returns the description of the format as of now, once it is open: the same object until the registry has returned another
   * schema; `undefined` when threads cannot have all schemas.
   */
  describe(): ThreadFormat | undefined {
    const schemas = this.#schemas?.found
    if (this.#schemas !== undefined && schemas === undefined) return undefined
    if (this.#latest === undefined || this.#latest.registered?.schemas !== schemas) {
      const registered =
        this.#schemas === undefined || schemas === undefined ? undefined : { url: this.#schemas.url, schemas }
      this.#latest = {
        choice: this.#plain,
        files: { texts: this.#files.texts, folders: this.#files.folders },
        registered,
      }
    }
    return this.#latest
  }
}

/** A choice may have many properties beside its own, such as those of a topic. */
function plainChoiceOf(choice: FormatChoice): ThreadFormat['choice'] {
  const { format, framing, recordsPerMessageMax, decompressedBytesMax, subject, avro, csv, decompress } =
    choice
  const { protobuf, envelope, compatibility, debezium } = choice
  return {
    ...{ format, framing, recordsPerMessageMax, decompressedBytesMax, subject, avro, csv, decompress },
    ...(protobuf === undefined ? {} : { protobuf }),
    ...(envelope === undefined ? {} : { envelope }),
    ...(compatibility === undefined ? {} : { compatibility }),
    ...(debezium === undefined ? {} : { debezium }),
  }
}

/** Returns the choice with which another thread opens the format. */
export function choiceOf({ choice, files, registered }: ThreadFormat): FormatChoice {
  return {
    ...choice,
    files: filesFrom(files),
    ...(registered === undefined ? {} : { registry: registryFrom(registered.url, registered.schemas) }),
  }
}
