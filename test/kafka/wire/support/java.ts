import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { buffer } from 'node:stream/consumers'
import { fetchJars, javaCommand } from '../../../../src/local-servers/maven.ts'
import { APIS, type ApiName } from '../../../../src/kafka/wire/apis.ts'

const PROGRAM = join(import.meta.dirname, 'Echo.java')

/** A message for Kafka's own classes. */
export interface EchoMessage {
  readonly api: ApiName
  readonly isResponse: boolean
  readonly version: number
  readonly bytes: Uint8Array
}

/** The bytes that Kafka's own classes write for a message, or their error. */
export type Echoed = { readonly headerVersion: number; readonly bytes: Buffer } | { readonly fault: string }

/** Returns the messages as Kafka's own classes read and write them, in order. */
export async function echoOfJava(messages: readonly EchoMessage[]): Promise<readonly Echoed[]> {
  const frames = messages.flatMap(({ api, isResponse, version, bytes }) => {
    const head = Buffer.alloc(9)
    head.writeInt32BE(bytes.length, 0)
    head.writeInt16BE(APIS[api].key, 4)
    head.writeInt8(isResponse ? 1 : 0, 6)
    head.writeInt16BE(version, 7)
    return [head, bytes]
  })
  const end = Buffer.alloc(4, 0xff)
  const output = await runJava(['echo'], Buffer.concat([...frames, end]))
  const echoes: Echoed[] = []
  for (let at = 0; at < output.length;) {
    const length = output.readInt32BE(at)
    if (length < 0) {
      const characters = output.readUInt16BE(at + 4)
      echoes.push({ fault: output.toString('utf8', at + 6, at + 6 + characters) })
      at += 6 + characters
    } else {
      echoes.push({ headerVersion: output.readInt8(at + 4), bytes: output.subarray(at + 5, at + 5 + length) })
      at += 5 + length
    }
  }
  return echoes
}

/** Returns the definitions of messages as Kafka's own jar has them, such as `FetchRequest`. */
export async function definitionsOfJava(names: readonly string[]): Promise<readonly string[]> {
  const output = await runJava(['definition', ...names], Buffer.alloc(0))
  return output.toString().split('\n====\n').slice(0, names.length)
}

/** Returns the lines `code name isRetriable isMetadataStale` of all error codes that Kafka's own jar has. */
export async function errorsOfJava(): Promise<readonly string[]> {
  return (await runJava(['errors'], Buffer.alloc(0))).toString().trim().split('\n')
}

async function runJava(args: readonly string[], input: Uint8Array): Promise<Buffer> {
  const libraries = await fetchJars('kafka')
  const program = spawn(
    javaCommand(),
    ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', join(libraries, '*'), PROGRAM, ...args],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  program.stdin.end(input)
  const ended = new Promise<number | null>((resolve, reject) => {
    program.once('error', reject)
    program.once('close', resolve)
  })
  const [output, said, code] = await Promise.all([buffer(program.stdout), text(program.stderr), ended])
  if (code !== 0) throw new Error(`Java ended with ${code}: ${said}`)
  return output
}
