/** Configures the admin API. `token` is set if `enabled` is true. */
export interface AdminConfig {
  readonly enabled: boolean
  /** At least 16 characters. */
  readonly token?: string
}

/** Configures which metrics are exported in addition to our own. */
export interface MetricsConfig {
  readonly javaNames: boolean
}
