import type { DeadLetterSink } from '../../operators/commit-delta.ts'
import type { DeadLetterReason } from '../core/batch.ts'
import { customErrorOf } from '../core/errors.ts'
import type { DeadLetterTopic } from '../kafka/dead-letters/dead-letters.ts'
import type { Store } from '../storage/store.ts'

/**
 * Returns a store of a user's program for one chain: it stays open when the chain closes it, and everything that it throws
 * is a `PipelineError`.
 */
export function borrowedStore(store: Store): Store {
  const attempt = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run()
    } catch (error) {
      throw customErrorOf(error, 'the store', { table: store.uri })
    }
  }
  return {
    uri: store.uri,
    get: (key, range) => attempt(() => store.get(key, range)),
    size: (key) => attempt(() => store.size(key)),
    async *list(prefix, startAfter) {
      try {
        yield* store.list(prefix, startAfter)
      } catch (error) {
        throw customErrorOf(error, 'the store', { table: store.uri })
      }
    },
    put: (key, body) => attempt(() => store.put(key, body)),
    putIfAbsent: (key, body) => attempt(() => store.putIfAbsent(key, body)),
    delete: (key) => attempt(() => store.delete(key)),
    close: () => Promise.resolve(),
  }
}

/** Returns a sink of a user's program as a dead-letter topic: everything that it throws is a `PipelineError`. */
export function borrowedSink(sink: DeadLetterSink, topic: string): DeadLetterTopic {
  return {
    async write(deadLetters, ranges) {
      try {
        await sink.write(deadLetters, ranges)
      } catch (error) {
        throw customErrorOf(error, 'the sink of dead letters', { topic })
      }
      return { written: deadLetters.length, skipped: 0 }
    },
    close: () => Promise.resolve(),
  }
}

/** Lists the reasons that do not depend on the operators of a chain. */
const UNREADABLE: readonly DeadLetterReason[] = ['decode', 'contract', 'rule', 'transform', 'tombstone']

/** Returns a dead-letter topic that leaves out the records that no chain of the topic can read. */
export function withoutUnreadable(sink: DeadLetterTopic): DeadLetterTopic {
  return {
    write: (letters, ranges) =>
      sink.write(
        letters.filter(({ reason }) => !UNREADABLE.includes(reason)),
        ranges,
      ),
    close: () => sink.close(),
  }
}
