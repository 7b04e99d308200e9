import type { PipelineError } from '../../core/errors.ts'
import { recreatedTopicError, textOfTopicId } from '../fetch/faults/recreated-topic.ts'
import { NO_UUID } from '../wire/schema.ts'
import type { SourceOptions } from './source-options.ts'

/** Ignores the lowest bit: versions in the log are signed. */
const DROPPED_BITS = 1n
/** Characters of an id as Kafka's tools show it that the number keeps whole. */
const SHOWN_CHARACTERS = 10

/** Returns the first 63 bits of a topic id of 32 hex digits, which fit the version of a `txn`. */
export function topicIdNumberOf(topicId: string): bigint {
  return BigInt(`0x${topicId.slice(0, 16)}`) >> DROPPED_BITS
}

/** Returns the beginning of the id of such a number, as Kafka's tools show it: ten characters of base64url. */
export function textOfTopicIdNumber(number: bigint): string {
  const hex = BigInt.asUintN(64, number << DROPPED_BITS)
    .toString(16)
    .padStart(16, '0')
  return Buffer.from(hex, 'hex').toString('base64url').slice(0, SHOWN_CHARACTERS)
}

/** Describes what a table holds of a topic. */
interface TableOffsets {
  /** Id of the topic; `undefined` if the table holds none. */
  readonly stored: bigint | undefined
  /** True if the table holds offsets of the topic. */
  readonly hasOffsets: boolean
  /** True if one of the offsets is past the end of its log. */
  readonly isBeyond: boolean
}

type IdentityOptions = Pick<
  SourceOptions,
  'topic' | 'storedTopicId' | 'acceptTopicId' | 'onTopicConfirmed' | 'log' | 'onEvent'
>

/**
 * Makes sure that a source reads one topic, not another one of the same name: the topic whose offsets the table holds, and
 * from then on the one that it began with. Brokers older than Kafka 2.8 report no ids; nothing is compared then.
 */
export class TopicIdentity {
  readonly #options: IdentityOptions
  #confirmation: Promise<void> | undefined
  #id: string | undefined

  constructor(options: IdentityOptions) {
    this.#options = options
  }

  /** The id of the topic that is read, 32 hex digits; `undefined` until it is confirmed. */
  get id(): string | undefined {
    return this.#id
  }

  /** The id to commit with the offsets; `undefined` if the table does not keep it. */
  get numberToStore(): bigint | undefined {
    const { storedTopicId } = this.#options
    return storedTopicId === undefined || this.#id === undefined ? undefined : topicIdNumberOf(this.#id)
  }

  /** Returns the id in the table. */
  read(): Promise<bigint | undefined> {
    return this.#options.storedTopicId?.read() ?? Promise.resolve(undefined)
  }

  /** Returns whether the brokers report another id than the table holds. */
  differs(found: string, stored: bigint | undefined): boolean {
    return found !== NO_UUID && stored !== undefined && stored !== topicIdNumberOf(found)
  }

  /**
   * Checks that the brokers still report the topic that is read.
   * @throws KD_OFFSETS_VANISHED if it is another one
   */
  check(found: string): void {
    if (found === NO_UUID || this.#id === undefined || this.#id === found) return
    throw recreatedTopicError(this.#options.topic, textOfTopicId(this.#id), textOfTopicId(found))
  }

  /**
   * Confirms that the topic at the brokers, `found`, is the one of the table. A table that has
   * offsets of the topic and no id takes this one at once; a table without offsets takes it with the first of them.
   * @throws KD_OFFSETS_VANISHED if it is another one and not accepted
   * @throws the errors of `onTopicConfirmed`
   */
  async confirm(found: string, table: TableOffsets): Promise<void> {
    this.check(found)
    if (found !== NO_UUID) {
      await this.#reconcile(found, table)
      this.#id = found
    }
    await (this.#confirmation ??= this.#announce(found === NO_UUID ? undefined : textOfTopicId(found)))
  }

  async #announce(topicId: string | undefined): Promise<void> {
    this.#options.onEvent?.({ kind: 'topic-identified', topicId })
    await this.#options.onTopicConfirmed?.(topicId)
  }

  /** Makes the table hold the id, as far as it may. */
  async #reconcile(found: string, { stored, hasOffsets, isBeyond }: TableOffsets): Promise<void> {
    const { storedTopicId, acceptTopicId, log } = this.#options
    const number = topicIdNumberOf(found)
    if (storedTopicId === undefined || stored === number || (stored === undefined && !hasOffsets)) return
    const isAccepted = acceptTopicId === true && this.#id === undefined
    if (stored !== undefined && !isAccepted) throw this.#errorOf(stored, found)
    // The offsets are of another topic, or records were lost: the caller fails, and the id would hide that later.
    if (isBeyond) return
    const now = await storedTopicId.write(number, stored)
    if (now !== undefined && now !== number) throw this.#errorOf(now, found)
    if (stored === undefined) return
    log?.warn(
      { was: textOfTopicIdNumber(stored), topicId: textOfTopicId(found) },
      'The topic has another id than the table held, which acceptTopicId allows: reading continues after the offsets in the table. Remove acceptTopicId now',
    )
  }

  #errorOf(stored: bigint, found: string): PipelineError {
    const { topic } = this.#options
    return recreatedTopicError(topic, `${textOfTopicIdNumber(stored)}… (in the table)`, textOfTopicId(found))
  }
}
