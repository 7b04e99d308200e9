import type { ByteCodec } from './byte-codec.ts'
import { builtInZstd } from './zstd-built-in.ts'
import { loadZstdWasm } from './zstd-wasm.ts'

const builtIn = builtInZstd()

/**
 * Returns the Zstandard codec: the one built into Node, otherwise that of a WebAssembly module, which is loaded by the
 * first call.
 */
export function openZstd(): Promise<ByteCodec> {
  return builtIn === undefined ? loadZstdWasm() : Promise.resolve(builtIn)
}
