import { PipelineError } from '../../core/errors.ts'
import { ClassicMember } from './classic-member.ts'
import { ConsumerProtocolMember } from './consumer-protocol-member.ts'
import type { GroupMembership, GroupOptions } from './membership.ts'

/**
 * Joins a group immediately and reports assigned and revoked partitions to the callbacks until `stop`.
 * @throws KD_CONFIG_INVALID if there is no topic or the times contradict each other
 */
export function joinGroup(options: GroupOptions): GroupMembership {
  const { topics, heartbeatMs = 3_000, sessionTimeoutMs = 30_000, rebalanceTimeoutMs = 60_000 } = options
  if (topics.length === 0)
    throw new PipelineError('KD_CONFIG_INVALID', 'expected at least one topic for a group member, got none')
  if (heartbeatMs <= 0 || heartbeatMs >= sessionTimeoutMs || heartbeatMs >= rebalanceTimeoutMs) {
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `expected a heartbeat interval shorter than the session timeout of ${sessionTimeoutMs} ms and the rebalance timeout of ${rebalanceTimeoutMs} ms, got ${heartbeatMs} ms`,
    )
  }
  const member =
    options.protocol === 'consumer' ? new ConsumerProtocolMember(options) : new ClassicMember(options)
  member.start()
  return member
}
