import { checkEndpoint, checkTogether, type Report } from '../report.ts'
import type { AzureConfig, DynamoConfig, S3Config, StorageConfig } from '../types.ts'

/** Options of the object stores that do not go together. */
export function checkStorage(storage: StorageConfig, report: Report): void {
  checkS3(storage.s3, report)
  checkAws(storage.dynamodb, 'storage.dynamodb', report)
  checkAzure(storage.azure, report)
  checkEndpoint(storage.gcs.endpoint, 'storage.gcs.endpoint', report)
}

function checkS3(s3: S3Config, report: Report): void {
  checkAws(s3, 'storage.s3', report)
  if (s3.multipartBytesMin < 5 * 1024 * 1024) {
    report(
      ['storage.s3.multipartBytesMin'],
      `must be at least 5242880 (5 MiB): value was ${s3.multipartBytesMin}`,
    )
  }
}

/** Keys and address of a service of AWS. */
function checkAws(section: S3Config | DynamoConfig, prefix: string, report: Report): void {
  checkTogether(section, prefix, ['accessKeyId', 'secretAccessKey'], report)
  if (section.sessionToken !== undefined && section.accessKeyId === undefined) {
    report([`${prefix}.sessionToken`, `${prefix}.accessKeyId`], 'belongs to an access key, and none is given')
  }
  checkEndpoint(section.endpoint, `${prefix}.endpoint`, report)
}

function checkAzure(azure: AzureConfig, report: Report): void {
  const given = (['accountKey', 'sasToken', 'connectionString'] as const).filter(
    (name) => azure[name] !== undefined,
  )
  if (given.length > 1) {
    const keys = given.map((name) => `storage.azure.${name}`)
    report(keys, `only one way to log in is possible, and ${keys.join(' and ')} are given`)
  }
  checkEndpoint(azure.endpoint, 'storage.azure.endpoint', report)
}
