import type { OptionTree } from '../option.ts'

/** Declares the options below `storage`: the object stores. */
export const STORAGE_OPTIONS = {
  s3: {
    endpoint: {
      doc: 'URL of an S3-compatible server, such as `http://127.0.0.1:9000`. Unset: AWS.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'AWS_S3_ENDPOINT',
    },
    region: { doc: 'AWS region of the buckets.', format: 'text', default: 'us-east-1', env: 'AWS_REGION' },
    forcePathStyle: {
      doc: 'Addresses buckets in the path of the URL instead of in the host name. Most S3-compatible servers other than AWS require it.',
      format: 'flag',
      default: false,
      env: 'AWS_S3_FORCE_PATH_STYLE',
    },
    /** Set exactly if `secretAccessKey` is. */
    accessKeyId: {
      doc: 'Access key ID; requires `secretAccessKey`. Unset: the default AWS credential chain is used (profile, web identity, container, instance).',
      format: 'text',
      default: null,
      nullable: true,
      env: 'AWS_ACCESS_KEY_ID',
    },
    secretAccessKey: {
      doc: 'Secret access key that belongs to `accessKeyId`.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'AWS_SECRET_ACCESS_KEY',
    },
    sessionToken: {
      doc: 'Session token of temporary credentials; requires `accessKeyId` and `secretAccessKey`.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'AWS_SESSION_TOKEN',
    },
    multipartBytesMin: {
      doc: 'Objects of at least this size are uploaded in parts. At least 5242880 (5 MiB), the minimum of S3.',
      format: 'whole-number',
      unit: 'bytes',
      default: 16_777_216,
      env: 'AWS_S3_MULTIPART_BYTES_MIN',
    },
    logStore: {
      doc: 'Mutual exclusion between concurrent writers of the same commit: `s3` uses conditional writes (`If-None-Match`) of the bucket, `dynamodb` a DynamoDB table, compatible with the `S3DynamoDBLogStore` of Spark. All writers of a table must use the same.',
      format: ['s3', 'dynamodb'],
      default: 's3',
      env: 'AWS_S3_LOCKING_PROVIDER',
    },
  },
  dynamodb: {
    table: {
      doc: 'DynamoDB table that records the commits of Delta tables, with `storage.s3.logStore` `dynamodb`. Its partition key is `tablePath` and its sort key `fileName`, both strings.',
      format: 'text',
      default: 'delta_log',
      env: 'DELTA_DYNAMO_TABLE_NAME',
    },
    endpoint: {
      doc: 'URL of a DynamoDB-compatible server. Unset: AWS.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'AWS_ENDPOINT_URL_DYNAMODB',
    },
    /** Defaults to the region of S3. */
    region: {
      doc: 'AWS region of the DynamoDB table. Unset: `storage.s3.region`.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'AWS_REGION_DYNAMODB',
    },
    /** Set exactly if `secretAccessKey` is. Defaults to the credentials of S3. */
    accessKeyId: {
      doc: 'Access key ID for DynamoDB. Unset: the credentials of `storage.s3` are used.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'AWS_ACCESS_KEY_ID_DYNAMODB',
    },
    secretAccessKey: {
      doc: 'Secret access key that belongs to `storage.dynamodb.accessKeyId`.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'AWS_SECRET_ACCESS_KEY_DYNAMODB',
    },
    sessionToken: {
      doc: 'Session token of temporary credentials for DynamoDB.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'AWS_SESSION_TOKEN_DYNAMODB',
    },
  },
  /** At most one of `accountKey`, `sasToken` and `connectionString` is set. */
  azure: {
    accountName: {
      doc: 'Storage account, if the table URI does not name it as `abfss://container@account…` does.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'AZURE_STORAGE_ACCOUNT_NAME',
    },
    accountKey: {
      doc: 'Account key of the storage account. If neither a key, a SAS token nor a connection string is set, `DefaultAzureCredential` of the package `@azure/identity` is used, which must be installed.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'AZURE_STORAGE_ACCOUNT_KEY',
    },
    sasToken: {
      doc: 'Shared access signature, instead of an account key.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'AZURE_STORAGE_SAS_TOKEN',
    },
    connectionString: {
      doc: 'Connection string, instead of account name, account key and endpoint.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'AZURE_STORAGE_CONNECTION_STRING',
    },
    endpoint: {
      doc: 'URL of a server compatible with Azure Blob Storage, including the account if the server expects it in the path, such as `http://127.0.0.1:10000/devstoreaccount1`. Unset: Azure.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'AZURE_STORAGE_ENDPOINT',
    },
  },
  gcs: {
    endpoint: {
      doc: 'URL of a server compatible with Google Cloud Storage, such as `http://127.0.0.1:4443`. Unset: Google.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'STORAGE_EMULATOR_HOST',
    },
    /** Absolute path. */
    keyFile: {
      doc: "Key file of a service account. Unset: Google's default credentials are used (`gcloud`, workload identity, instance).",
      format: 'text',
      default: null,
      nullable: true,
      path: true,
      env: 'GOOGLE_APPLICATION_CREDENTIALS',
    },
    anonymous: {
      doc: 'Sends no credentials, for public buckets and emulators.',
      format: 'flag',
      default: false,
      env: 'GOOGLE_SKIP_SIGNATURE',
    },
  },
} as const satisfies OptionTree
