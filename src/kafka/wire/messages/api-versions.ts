import type { ApiTable } from '../schema.ts'

/**
 * Describes ApiVersions, which returns the supported APIs of a broker and their versions. It is requested before the
 * login. Its response has a header without tagged fields in every version, so that a client can read the response to a
 * version that the broker does not support (KIP-511).
 *
 *     ApiVersionsRequest (0-5) => clientSoftwareName clientSoftwareVersion clusterId nodeId
 *       clientSoftwareName => string (3+)
 *       clientSoftwareVersion => string (3+)
 *       clusterId => string (5+, nullable)
 *       nodeId => int32 (5+)
 *     ApiVersionsResponse (0-5) => errorCode [apiKeys] throttleTimeMs [supportedFeatures]
 *         finalizedFeaturesEpoch [finalizedFeatures] zkMigrationReady
 *       errorCode => int16
 *       apiKeys => apiKey minVersion maxVersion
 *         apiKey => int16
 *         minVersion => int16
 *         maxVersion => int16
 *       throttleTimeMs => int32 (1+)
 *       supportedFeatures (3+, tag 0) => name minVersion maxVersion
 *         name => string (3+)
 *         minVersion => int16 (3+)
 *         maxVersion => int16 (3+)
 *       finalizedFeaturesEpoch => int64 (3+, tag 1)
 *       finalizedFeatures (3+, tag 2) => name maxVersionLevel minVersionLevel
 *         name => string (3+)
 *         maxVersionLevel => int16 (3+)
 *         minVersionLevel => int16 (3+)
 *       zkMigrationReady => bool (3+, tag 3)
 */
export const API_VERSIONS = {
  key: 18,
  versions: [0, 5],
  flexibleFrom: 3,
  throttlesFrom: 2,
  request: {
    clientSoftwareName: { type: 'string', versions: '3+', ignorable: true },
    clientSoftwareVersion: { type: 'string', versions: '3+', ignorable: true },
    clusterId: { type: 'string', versions: '5+', nullable: '5+', default: null, ignorable: true },
    nodeId: { type: 'int32', versions: '5+', default: -1, ignorable: true },
  },
  response: {
    errorCode: { type: 'int16', versions: '0+' },
    apiKeys: {
      type: [
        {
          apiKey: { type: 'int16', versions: '0+' },
          minVersion: { type: 'int16', versions: '0+' },
          maxVersion: { type: 'int16', versions: '0+' },
        },
      ],
      versions: '0+',
    },
    throttleTimeMs: { type: 'int32', versions: '1+', ignorable: true },
    supportedFeatures: {
      type: [
        {
          name: { type: 'string', versions: '3+' },
          minVersion: { type: 'int16', versions: '3+' },
          maxVersion: { type: 'int16', versions: '3+' },
        },
      ],
      versions: '3+',
      tag: 0,
      ignorable: true,
    },
    finalizedFeaturesEpoch: { type: 'int64', versions: '3+', tag: 1, default: -1n, ignorable: true },
    finalizedFeatures: {
      type: [
        {
          name: { type: 'string', versions: '3+' },
          maxVersionLevel: { type: 'int16', versions: '3+' },
          minVersionLevel: { type: 'int16', versions: '3+' },
        },
      ],
      versions: '3+',
      tag: 2,
      ignorable: true,
    },
    zkMigrationReady: { type: 'bool', versions: '3+', tag: 3, default: false, ignorable: true },
  },
} as const satisfies ApiTable
