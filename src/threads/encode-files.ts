import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Columns } from '../arrow/column.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import {
  encodeFile,
  type EncodedFile,
  type EncodedStatistics,
  type FileEncoder,
  type FileEncoding,
} from '../delta/files/encode-file.ts'
import { buffersOf, withoutType } from './column-transfer.ts'
import type { EncodeTask, FromEncoder, ToEncoder } from './encode-on-thread.ts'

/** Runs a task on a thread; rejects when the thread ends before the task does. */
export type RunEncodeTask = (task: EncodeTask, transfer: readonly MessagePort[]) => Promise<unknown>

/**
 * Returns an encoder that encodes at most `filesMax` files at once on threads, and others on this thread: files that wait for
 * a store that does not answer do not hold back those of other tables. A thread has at most two slices and one piece of a
 * file. When a thread ends, its files fail with KD_PARQUET_FAILED, which may be retried.
 */
export function threadEncoder(run: RunEncodeTask, filesMax: number): FileEncoder {
  let files = 0
  return (slices, encoding) => {
    if (files >= filesMax) return encodeFile(slices, encoding)
    files++
    return new FileOnThread(run, slices, encoding, () => files--)
  }
}

class FileOnThread implements EncodedFile {
  readonly pieces: AsyncIterable<Uint8Array>
  #statistics: EncodedStatistics | undefined

  constructor(run: RunEncodeTask, slices: AsyncIterable<Columns>, encoding: FileEncoding, onEnd: () => void) {
    this.pieces = this.#encode(run, slices, encoding, onEnd)
  }

  statistics(): EncodedStatistics {
    if (this.#statistics === undefined)
      throw new Error('Broken invariant: statistics are complete once all pieces are read')
    return this.#statistics
  }

  async *#encode(
    run: RunEncodeTask,
    slices: AsyncIterable<Columns>,
    encoding: FileEncoding,
    onEnd: () => void,
  ): AsyncGenerator<Uint8Array> {
    const { port1: port, port2 } = new MessageChannel()
    const inbox = new Inbox(port)
    const rows = slices[Symbol.asyncIterator]()
    try {
      run({ port: port2, encoding }, [port2]).catch((error: unknown) => inbox.fail(threadError(error)))
      for (;;) {
        const message = await inbox.next()
        switch (message.kind) {
          case 'next':
            await sendSlice(port, rows)
            break
          case 'piece':
            yield message.bytes
            post(port, { kind: 'taken' })
            break
          case 'failed':
            throw new PipelineError('KD_PARQUET_FAILED', message.detail)
          case 'done':
            this.#statistics = message.statistics
            return
        }
      }
    } finally {
      // Ends the task when the file is given up.
      port.close()
      onEnd()
      await rows.return?.()
    }
  }
}

async function sendSlice(port: MessagePort, rows: AsyncIterator<Columns>): Promise<void> {
  const next = await rows.next()
  if (next.done === true) {
    post(port, { kind: 'end' })
    return
  }
  const { columns, length } = next.value
  post(port, { kind: 'slice', columns: columns.map(withoutType), length }, buffersOf(columns))
}

function post(port: MessagePort, message: ToEncoder, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

function threadError(error: unknown): PipelineError {
  const detail = `the thread that encoded it ended: ${messageOf(error)}`
  return new PipelineError('KD_PARQUET_FAILED', detail, {}, { cause: error, retryable: true })
}

/** Queues what a thread says of one file: at most a request for a slice and a piece, which it waits for. */
class Inbox {
  readonly #messages: FromEncoder[] = []
  #wake: (() => void) | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(port: MessagePort) {
    port.on('message', (message: FromEncoder) => {
      this.#messages.push(message)
      this.#wake?.()
    })
  }

  /** Returns the next message. Throws when the thread has ended. */
  async next(): Promise<FromEncoder> {
    for (;;) {
      const message = this.#messages.shift()
      if (message !== undefined) return message
      if (this.#failure !== undefined) throw this.#failure.error
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake?.()
  }
}
