/**
 * Exports the store on Azure Blob Storage and Data Lake Storage: `kafka-delta/azure`. It loads the client of Azure; `openStore`
 * of `kafka-delta` does so when a URI of Azure is opened.
 */
export { AzureStore } from '../storage/azure/azure.ts'
export { containerClient, type AzureLocation } from '../storage/azure/azure-client.ts'
export type { AzureAccess, AzureStoreOptions } from '../storage/azure/azure-options.ts'
