/** Exports the store on Google Cloud Storage: `kafka-delta/gcs`. */
export { GcsStore } from '../storage/gcs/gcs.ts'
export type { GcsStoreOptions } from '../storage/gcs/gcs-options.ts'
