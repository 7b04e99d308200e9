import type { MessagePort } from 'node:worker_threads'
import type { Column, Columns } from '../arrow/column.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import { encodeFile, type EncodedStatistics, type FileEncoding } from '../delta/files/encode-file.ts'
import { withType } from './column-transfer.ts'

/** Asks a thread to encode a file; slices and pieces pass through `port`, at the pace of the upload. */
export interface EncodeTask {
  readonly port: MessagePort
  readonly encoding: FileEncoding
}

/** A message to the thread that encodes a file. */
export type ToEncoder =
  | { readonly kind: 'slice'; readonly columns: readonly Column[]; readonly length: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'taken' }

/** A message of the thread that encodes a file. `next` asks for a slice; a piece is answered by `taken`. */
export type FromEncoder =
  | { readonly kind: 'next' }
  | { readonly kind: 'piece'; readonly bytes: Uint8Array }
  | { readonly kind: 'done'; readonly statistics: EncodedStatistics }
  | { readonly kind: 'failed'; readonly detail: string }

/**
 * Encodes a file on this thread from the slices that `port` delivers. It holds two slices at most: it asks for the next one
 * while it encodes the one before. At most one piece is on its way.
 */
export async function encodeOnThread({ port, encoding }: EncodeTask): Promise<void> {
  const requests = new PortRequests(port)
  const post = (message: FromEncoder, transfer: ArrayBuffer[] = []): void => {
    port.postMessage(message, transfer)
  }
  try {
    const file = encodeFile(slicesOf(requests, encoding), encoding)
    let taken: Promise<unknown> = Promise.resolve()
    for await (const piece of file.pieces) {
      await taken
      const bytes = ownedBytes(piece)
      taken = requests.wait('taken')
      // Where the rows end first with an error, nothing waits for it any more.
      taken.catch(() => undefined)
      post({ kind: 'piece', bytes }, [bytes.buffer])
    }
    await taken
    post({ kind: 'done', statistics: file.statistics() })
  } catch (thrown) {
    post({ kind: 'failed', detail: detailOf(thrown) })
  } finally {
    requests.close()
  }
}

async function* slicesOf(requests: PortRequests, { schema }: FileEncoding): AsyncGenerator<Columns> {
  for (let next = requests.slice(); ;) {
    const slice = await next
    if (slice.kind !== 'slice') return
    next = requests.slice()
    // It rejects only when the main thread has left, which the next use of it reports.
    next.catch(() => undefined)
    const columns = slice.columns.map((column, index) => {
      const field = schema.fields[index]
      return field === undefined ? column : withType(column, field.type)
    })
    yield { schema, length: slice.length, columns }
  }
}

/** Returns a piece that alone owns its buffer, as a transfer needs it. */
function ownedBytes(piece: Uint8Array): Uint8Array<ArrayBuffer> {
  const isOwned = piece.buffer instanceof ArrayBuffer && piece.byteLength === piece.buffer.byteLength
  return isOwned ? (piece as Uint8Array<ArrayBuffer>) : Uint8Array.from(piece)
}

/** The main thread adds what the code of an error says. */
function detailOf(thrown: unknown): string {
  return messageOf(thrown instanceof PipelineError && thrown.cause !== undefined ? thrown.cause : thrown)
}

type Answer = Extract<ToEncoder, { kind: 'slice' | 'end' }>

/** Waits for the messages of the main thread. */
class PortRequests {
  readonly #port: MessagePort
  readonly #waiting = new Map<'slice' | 'taken', (message: ToEncoder | undefined) => void>()
  #isClosed = false

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (message: ToEncoder) =>
      this.#settle(message.kind === 'taken' ? 'taken' : 'slice', message),
    )
    port.on('close', () => {
      this.#isClosed = true
      this.#settle('slice', undefined)
      this.#settle('taken', undefined)
    })
  }

  /** Asks for a slice. */
  async slice(): Promise<Answer> {
    const answer = this.wait('slice')
    const request: FromEncoder = { kind: 'next' }
    this.#port.postMessage(request)
    return (await answer) as Answer
  }

  /** Waits for a message. Rejects when the main thread has left. */
  async wait(kind: 'slice' | 'taken'): Promise<ToEncoder> {
    const message = this.#isClosed
      ? undefined
      : await new Promise<ToEncoder | undefined>((resolve) => this.#waiting.set(kind, resolve))
    if (message === undefined) throw new Error('The writer of the file has left')
    return message
  }

  close(): void {
    this.#port.close()
  }

  #settle(kind: 'slice' | 'taken', message: ToEncoder | undefined): void {
    const resolve = this.#waiting.get(kind)
    this.#waiting.delete(kind)
    resolve?.(message)
  }
}
