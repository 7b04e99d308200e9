import { Observable, tap, type OperatorFunction } from 'rxjs'
import type { Changing } from '../../core/changing.ts'
import type { Enrichment } from '../../enrichments/enrichment.ts'
import type { Format, FormatOptions } from '../../formats/format.ts'
import type { ExtensionFormat } from './extensions.ts'
import { operatorFailedError } from './place.ts'

/**
 * Returns the operator with errors that name the topic and the place in the code of the user. Errors that come from the
 * stream before it are passed on unchanged.
 * @throws KD_OPERATOR_FAILED as an error of the stream
 */
export function withPlace<A, B>(
  operator: OperatorFunction<A, B>,
  what: string,
  topic: string,
): OperatorFunction<A, B> {
  return (source) =>
    new Observable((subscriber) => {
      let before: { readonly error: unknown } | undefined
      const noted = source.pipe(tap({ error: (error: unknown) => (before = { error }) }))
      // Passed on before the source is unsubscribed from, which catchError does not do.
      const fail = (error: unknown): void =>
        subscriber.error(before?.error === error ? error : operatorFailedError(what, error, { topic }))
      let output: Observable<B>
      try {
        output = operator(noted)
      } catch (error) {
        fail(error)
        return
      }
      subscriber.add(
        output.subscribe({
          next: (batch) => subscriber.next(batch),
          error: fail,
          complete: () => subscriber.complete(),
        }),
      )
    })
}

/**
 * Returns the enrichment with errors that name the topic and the place in the code of the user.
 */
export function guardedEnrichment(enrichment: Enrichment, topic: string): Enrichment {
  const names = enrichment.fields.map(({ name }) => name).join(', ')
  return {
    fields: enrichment.fields,
    columns: (rows, reject) =>
      attempt(`the enrichment with the columns ${names}`, topic, () => enrichment.columns(rows, reject)),
  }
}

/**
 * Opens the format of a user for the columns of `options`. Its errors name the topic and the place in the code of the user.
 * @throws KD_OPERATOR_FAILED
 */
export async function openExtensionFormat(
  extension: ExtensionFormat,
  options: FormatOptions | Changing<FormatOptions>,
  topic: string,
): Promise<Format> {
  const what = `the format ${extension.name}`
  let format: Format
  try {
    format = await extension.open(options)
  } catch (error) {
    throw operatorFailedError(what, error, { topic })
  }
  return {
    name: format.name,
    decode: (raw) => attempt(what, topic, () => format.decode(raw)),
    ...(format.objectReasons === undefined ? {} : { objectReasons: () => format.objectReasons?.() ?? [] }),
    ...(format.prepare === undefined
      ? {}
      : {
          prepare: (raw) =>
            attempt(what, topic, () => format.prepare?.(raw))?.catch((error: unknown) => {
              throw operatorFailedError(what, error, { topic })
            }),
        }),
  }
}

function attempt<T>(what: string, topic: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw operatorFailedError(what, error, { topic })
  }
}
