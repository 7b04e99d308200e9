import { compileReader } from '../wire/decode.ts'
import { compileWriter, encodeStructure } from '../wire/encode.ts'
import type { FieldTable, ReadFields } from '../wire/schema.ts'
import { malformedMessageError, WireReader } from '../wire/wire-reader.ts'
import { groupByTopic, type TopicPartition } from './partitions.ts'

/** Describes the subscription of a member in a classic group (ConsumerProtocolSubscription, versions 0 to 3). */
export interface GroupSubscription {
  readonly topics: readonly string[]
  readonly userData: Uint8Array | null
  /** Partitions that the member keeps while it joins; since version 1. */
  readonly owned: readonly TopicPartition[]
  /** Generation in which `owned` was assigned; since version 2, -1 if unknown. */
  readonly ownedGeneration: number
  /** Rack of the member; since version 3. */
  readonly rackId: string | null
}

const SUBSCRIPTION = {
  topics: { type: ['string'], versions: '0+' },
  userData: { type: 'bytes', versions: '0+', nullable: '0+', default: null },
  ownedPartitions: {
    type: [
      {
        topic: { type: 'string', versions: '1+' },
        partitions: { type: ['int32'], versions: '1+' },
      },
    ],
    versions: '1+',
    ignorable: true,
  },
  generationId: { type: 'int32', versions: '2+', default: -1, ignorable: true },
  rackId: { type: 'string', versions: '3+', nullable: '3+', default: null, ignorable: true },
} as const satisfies FieldTable

const ASSIGNMENT = {
  assignedPartitions: {
    type: [
      {
        topic: { type: 'string', versions: '0+' },
        partitions: { type: ['int32'], versions: '0+' },
      },
    ],
    versions: '0+',
  },
  userData: { type: 'bytes', versions: '0+', nullable: '0+', default: null },
} as const satisfies FieldTable

const VERSIONS = [0, 1, 2, 3]
const NEWEST = 3
const SUBSCRIPTION_READERS = VERSIONS.map((version) =>
  compileReader(SUBSCRIPTION, { version, isFlexible: false }),
)
const SUBSCRIPTION_WRITERS = VERSIONS.map((version) =>
  compileWriter(SUBSCRIPTION, { version, isFlexible: false }),
)
const readAssignment = compileReader(ASSIGNMENT, { version: 0, isFlexible: false })
const writeAssignment = compileWriter(ASSIGNMENT, { version: 0, isFlexible: false })

/**
 * Encodes a subscription: its version, then the fields of that version.
 *
 *     Subscription (0-3) => [topics] userData [ownedPartitions] generationId rackId
 *       topics => string
 *       userData => bytes (nullable)
 *       ownedPartitions (1+) => topic [partitions]
 *         topic => string
 *         partitions => int32
 *       generationId => int32 (2+)
 *       rackId => string (3+, nullable)
 */
export function encodeSubscription(
  { topics, userData, owned, ownedGeneration, rackId }: GroupSubscription,
  version: number,
): Uint8Array {
  const write = SUBSCRIPTION_WRITERS[version]
  if (write === undefined) throw new Error(`Broken invariant: a subscription has no version ${version}`)
  return encodeStructure((writer, value: GroupSubscription['topics']) => {
    writer.int16(version)
    write(writer, {
      topics: value,
      userData,
      ownedPartitions: fieldsOf(owned),
      generationId: ownedGeneration,
      rackId,
    })
  }, topics)
}

/**
 * Decodes a subscription. Versions newer than 3 are read as version 3, because new versions only append fields. In
 * versions before 2, the generation is read from the user data, where members with `cooperative-sticky` write it.
 * @throws KD_SOURCE_FAILED if the bytes are malformed
 */
export function decodeSubscription(bytes: Uint8Array): GroupSubscription {
  const reader = new WireReader(bytes)
  const version = Math.min(readVersion(reader), NEWEST)
  const fields = (SUBSCRIPTION_READERS[version] as (typeof SUBSCRIPTION_READERS)[number])(reader)
  const { topics, userData, ownedPartitions, generationId, rackId } = fields
  const ownedGeneration = version >= 2 ? generationId : generationOf(userData)
  return { topics, userData, owned: partitionsOf(ownedPartitions), ownedGeneration, rackId }
}

/**
 * Encodes an assignment (ConsumerProtocolAssignment); all versions have the same fields.
 *
 *     Assignment (0-3) => [assignedPartitions] userData
 *       assignedPartitions => topic [partitions]
 *         topic => string
 *         partitions => int32
 *       userData => bytes (nullable)
 */
export function encodeAssignment(partitions: readonly TopicPartition[]): Uint8Array {
  return encodeStructure((writer, value: readonly TopicPartition[]) => {
    writer.int16(0)
    writeAssignment(writer, { assignedPartitions: fieldsOf(value), userData: new Uint8Array(0) })
  }, partitions)
}

/**
 * Decodes an assignment. Zero bytes are an empty assignment: the coordinator sends them to members without an
 * assignment.
 * @throws KD_SOURCE_FAILED if the bytes are malformed
 */
export function decodeAssignment(bytes: Uint8Array): readonly TopicPartition[] {
  if (bytes.length === 0) return []
  const reader = new WireReader(bytes)
  readVersion(reader)
  return partitionsOf(readAssignment(reader).assignedPartitions)
}

function readVersion(reader: WireReader): number {
  const version = reader.int16()
  if (version < 0) throw malformedMessageError(`expected a version of 0 or more, got ${version}`)
  return version
}

function generationOf(userData: Uint8Array | null): number {
  if (userData?.length !== 4) return -1
  return new DataView(userData.buffer, userData.byteOffset).getInt32(0)
}

function fieldsOf(partitions: readonly TopicPartition[]): { topic: string; partitions: readonly number[] }[] {
  return [...groupByTopic(partitions)].map(([topic, numbers]) => ({ topic, partitions: numbers }))
}

function partitionsOf(
  topics: ReadFields<typeof ASSIGNMENT>['assignedPartitions'],
): readonly TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
}
