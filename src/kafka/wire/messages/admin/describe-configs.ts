import type { ApiTable } from '../../schema.ts'

/**
 * Describes DescribeConfigs, which returns the options of topics and brokers.
 *
 *     DescribeConfigsRequest (1-4) => [resources] includeSynonyms includeDocumentation
 *       resources => resourceType resourceName [configurationKeys]
 *         resourceType => int8
 *         resourceName => string
 *         configurationKeys => string (nullable)
 *       includeSynonyms => bool (1+)
 *       includeDocumentation => bool (3+)
 *     DescribeConfigsResponse (1-4) => throttleTimeMs [results]
 *       throttleTimeMs => int32
 *       results => errorCode errorMessage resourceType resourceName [configs]
 *         errorCode => int16
 *         errorMessage => string (nullable)
 *         resourceType => int8
 *         resourceName => string
 *         configs => name value readOnly configSource isSensitive [synonyms] configType documentation
 *           name => string
 *           value => string (nullable)
 *           readOnly => bool
 *           configSource => int8 (1+)
 *           isSensitive => bool
 *           synonyms (1+) => name value source
 *             name => string (1+)
 *             value => string (1+, nullable 0+)
 *             source => int8 (1+)
 *           configType => int8 (3+)
 *           documentation => string (3+, nullable 0+)
 */
export const DESCRIBE_CONFIGS = {
  key: 32,
  versions: [1, 4],
  flexibleFrom: 4,
  throttlesFrom: 2,
  request: {
    resources: {
      type: [
        {
          resourceType: { type: 'int8', versions: '0+' },
          resourceName: { type: 'string', versions: '0+' },
          configurationKeys: { type: ['string'], versions: '0+', nullable: '0+' },
        },
      ],
      versions: '0+',
    },
    includeSynonyms: { type: 'bool', versions: '1+', default: false },
    includeDocumentation: { type: 'bool', versions: '3+', default: false },
  },
  response: {
    throttleTimeMs: { type: 'int32', versions: '0+' },
    results: {
      type: [
        {
          errorCode: { type: 'int16', versions: '0+' },
          errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
          resourceType: { type: 'int8', versions: '0+' },
          resourceName: { type: 'string', versions: '0+' },
          configs: {
            type: [
              {
                name: { type: 'string', versions: '0+' },
                value: { type: 'string', versions: '0+', nullable: '0+' },
                readOnly: { type: 'bool', versions: '0+' },
                configSource: { type: 'int8', versions: '1+', default: -1, ignorable: true },
                isSensitive: { type: 'bool', versions: '0+' },
                synonyms: {
                  type: [
                    {
                      name: { type: 'string', versions: '1+' },
                      value: { type: 'string', versions: '1+', nullable: '0+' },
                      source: { type: 'int8', versions: '1+' },
                    },
                  ],
                  versions: '1+',
                  ignorable: true,
                },
                configType: { type: 'int8', versions: '3+', default: 0, ignorable: true },
                documentation: { type: 'string', versions: '3+', nullable: '0+', ignorable: true },
              },
            ],
            versions: '0+',
          },
        },
      ],
      versions: '0+',
    },
  },
} as const satisfies ApiTable
