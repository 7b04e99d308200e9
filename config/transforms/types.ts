/**
 * Configures how messages of a topic are filtered and transformed. Paths are dotted; expressions have been
 * parsed successfully.
 */
export interface TransformConfig {
  readonly rules: readonly RuleConfig[]
  readonly filter?: string
  /** Computed fields by destination path. */
  readonly transforms: Readonly<Record<string, TransformFieldConfig>>
  readonly drop: readonly string[]
  /** Renamed fields: old path → new path. */
  readonly rename: Readonly<Record<string, string>>
  /** Reference files: name → absolute path of an existing file. */
  readonly lookups: Readonly<Record<string, string>>
  /** Keys: name → absolute path of an existing file, or `env:` and the name of an environment variable. */
  readonly hashKeys: Readonly<Record<string, string>>
}

/** Describes a field that a transform computes. */
interface TransformFieldConfig {
  /** JMESPath expression, or a metadata field `kafka.*`. */
  readonly expr: string
  /** Type of its column: a primitive type of Delta. */
  readonly type?: string
}

/** Describes a rule that messages must not violate. */
interface RuleConfig {
  readonly name: string
  /** Expression that is true for a message that violates the rule. */
  readonly when: string
  readonly error: string
}
