import type { Protocol } from './actions.ts'
import { readerFeatures, writerFeatures } from './protocol.ts'

/**
 * The protocol with a feature of readers and writers more; features that older versions stood for are named then.
 * Spec: "Table Features for New and Existing Tables".
 */
export function withReaderFeature(protocol: Protocol, feature: string): Protocol {
  const readers = new Set([...readerFeatures(protocol), feature])
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: [...readers],
    writerFeatures: [...new Set([...writerFeatures(protocol), ...readers])],
  }
}
