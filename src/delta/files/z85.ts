const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'

const VALUES: ReadonlyMap<string, number> = new Map(Array.from(DIGITS, (digit, value) => [digit, value]))

/**
 * Decodes a Z85 text: five characters for every four bytes. Spec: "Deletion Vector Descriptor Schema".
 * @throws RangeError if the text is malformed
 */
export function decodeZ85(text: string): Uint8Array {
  if (text.length % 5 !== 0) throw new RangeError(`a Z85 text cannot have ${text.length} characters`)
  const bytes = new Uint8Array((text.length / 5) * 4)
  const view = new DataView(bytes.buffer)
  for (let group = 0; group * 5 < text.length; group++) {
    let word = 0
    for (const character of text.slice(group * 5, group * 5 + 5)) {
      const value = VALUES.get(character)
      if (value === undefined) throw new RangeError(`${JSON.stringify(character)} is not a Z85 digit`)
      word = word * 85 + value
    }
    if (word > 0xffff_ffff) throw new RangeError('a Z85 group is beyond 32 bits')
    view.setUint32(group * 4, word)
  }
  return bytes
}
