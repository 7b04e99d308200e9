import type { Admin } from 'kafkajs'

/** Returns whether the topic exists. */
export async function topicExists(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics.some(({ name, partitions }) => name === topic && partitions.length > 0)
  } catch (error) {
    if (isUnknownTopic(error)) return false
    throw error
  }
}

/**
 * Returns whether every partition of a topic has a leader that accepts requests. The metadata of a broker names a leader
 * slightly earlier; in that time the producer of kafkajs would send accepted partitions again together with refused ones.
 */
export async function hasLeaders(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics.find(({ name }) => name === topic)?.partitions ?? []
    if (partitions.length === 0 || partitions.some(({ leader }) => leader < 0)) return false
    // Only a leader answers this request.
    return (await admin.fetchTopicOffsets(topic)).length === partitions.length
  } catch (error) {
    if (isUnknownTopic(error) || isLeaderless(error)) return false
    throw error
  }
}

const LEADERLESS = ['LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION', 'REPLICA_NOT_AVAILABLE']

function isLeaderless(error: unknown): boolean {
  return error instanceof Error && 'type' in error && LEADERLESS.includes(String(error.type))
}

function isUnknownTopic(error: unknown): boolean {
  return error instanceof Error && 'type' in error && error.type === 'UNKNOWN_TOPIC_OR_PARTITION'
}
