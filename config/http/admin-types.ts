/** Verbs over HTTP; `token` is there where they are `enabled`. */
export interface AdminConfig {
  readonly enabled: boolean
  /** At least 16 characters. */
  readonly token?: string
}

/** Which metrics there are beside our own. */
export interface MetricsConfig {
  readonly javaNames: boolean
}
