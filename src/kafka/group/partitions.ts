/** Identifies a partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Returns a unique key of a partition; topic names contain no slash. */
export function keyOfPartition({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

/** Compares partitions for sorting by topic, then by partition. */
export function comparePartitions(a: TopicPartition, b: TopicPartition): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}

/** Returns the partition numbers by topic, both in ascending order, as in Kafka's messages. */
export function groupByTopic(partitions: Iterable<TopicPartition>): ReadonlyMap<string, readonly number[]> {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of [...partitions].sort(comparePartitions)) {
    const known = topics.get(topic)
    if (known === undefined) topics.set(topic, [partition])
    else known.push(partition)
  }
  return topics
}

/** Returns the partitions that are not in `others`, in their order. */
export function subtractPartitions<T extends TopicPartition>(
  partitions: readonly T[],
  others: Iterable<TopicPartition>,
): T[] {
  const keys = new Set([...others].map(keyOfPartition))
  return partitions.filter((partition) => !keys.has(keyOfPartition(partition)))
}

/** Returns whether partitions belong to these topics, and to each of them. */
export function coversTopics(partitions: readonly TopicPartition[], topics: readonly string[]): boolean {
  return (
    partitions.every(({ topic }) => topics.includes(topic)) &&
    topics.every((name) => partitions.some(({ topic }) => topic === name))
  )
}
