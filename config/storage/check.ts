import { checkEndpoint, checkAllOrNone, type ReportFault } from '../report.ts'
import type { StorageConfig } from '../types.ts'

/** Reports contradictions among the options of the object stores. */
export function checkStorage(storage: StorageConfig, report: ReportFault): void {
  checkS3(storage.s3, report)
  checkAws(storage.dynamodb, 'storage.dynamodb', report)
  checkAzure(storage.azure, report)
  checkEndpoint(storage.gcs.endpoint, 'storage.gcs.endpoint', report)
}

function checkS3(s3: StorageConfig['s3'], report: ReportFault): void {
  checkAws(s3, 'storage.s3', report)
  if (s3.multipartBytesMin < 5 * 1024 * 1024) {
    report(
      ['storage.s3.multipartBytesMin'],
      `must be at least 5242880 (5 MiB): value was ${s3.multipartBytesMin}`,
    )
  }
}

/** Reports contradictions among the credentials and the endpoint of an AWS service. */
function checkAws(section: StorageConfig['s3' | 'dynamodb'], prefix: string, report: ReportFault): void {
  checkAllOrNone(section, prefix, ['accessKeyId', 'secretAccessKey'], report)
  if (section.sessionToken !== undefined && section.accessKeyId === undefined) {
    report([`${prefix}.sessionToken`, `${prefix}.accessKeyId`], `is set, but ${prefix}.accessKeyId is not`)
  }
  checkEndpoint(section.endpoint, `${prefix}.endpoint`, report)
}

function checkAzure(azure: StorageConfig['azure'], report: ReportFault): void {
  const given = (['accountKey', 'sasToken', 'connectionString'] as const).filter(
    (name) => azure[name] !== undefined,
  )
  if (given.length > 1) {
    const keys = given.map((name) => `storage.azure.${name}`)
    report(keys, `only one login method may be set: ${keys.join(' and ')} are`)
  }
  checkEndpoint(azure.endpoint, 'storage.azure.endpoint', report)
}
