/** What becomes of a topic's messages before they are rows. Paths are dotted; expressions parse. */
export interface TransformConfig {
  readonly rules: readonly RuleConfig[]
  readonly filter?: string
  /** By destination. */
  readonly transforms: Readonly<Record<string, FieldConfig>>
  readonly drop: readonly string[]
  /** Old path → new path. */
  readonly rename: Readonly<Record<string, string>>
  /** Name → absolute path of a file that exists. */
  readonly lookups: Readonly<Record<string, string>>
  /** Name → absolute path of a file that exists, or `env:` and the name of a variable. */
  readonly hashKeys: Readonly<Record<string, string>>
}

/** A field that a transform makes. */
export interface FieldConfig {
  /** An expression, or one of the sources `kafka.*`. */
  readonly expr: string
  /** The type of its column; a primitive type of Delta. */
  readonly type?: string
}

/** A rule that messages must not break. */
export interface RuleConfig {
  readonly name: string
  /** True for a message that breaks the rule. */
  readonly when: string
  readonly error: string
}
