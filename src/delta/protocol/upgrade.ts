import type { Protocol } from './actions.ts'
import { readerFeaturesOf, writerFeaturesOf } from './protocol.ts'

/**
 * Returns the protocol with one more reader and writer feature. Features that legacy versions imply are then listed by
 * name. Spec: "Table Features for New and Existing Tables".
 */
export function withReaderFeature(protocol: Protocol, feature: string): Protocol {
  const readers = new Set([...readerFeaturesOf(protocol), feature])
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: [...readers],
    writerFeatures: [...new Set([...writerFeaturesOf(protocol), ...readers])],
  }
}
