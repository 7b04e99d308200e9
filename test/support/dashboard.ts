/** As much of a dashboard of Grafana as tests look at. */
export interface Dashboard {
  readonly panels: readonly DashboardPanel[]
  readonly templating: { readonly list: readonly { readonly name: string }[] }
}

/** A panel, or the heading of a row. */
export interface DashboardPanel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource: { readonly uid: string }
  readonly fieldConfig: { readonly defaults: { readonly unit: string } }
  readonly targets: readonly { readonly refId: string; readonly expr: string }[]
}

/** The panels without the headings of rows. */
export function panelsOf({ panels }: Dashboard): readonly DashboardPanel[] {
  return panels.filter(({ type }) => type !== 'row')
}

/** A query with everything chosen, over windows that a short test fills. */
export function filledIn(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__range', '5m')
    .replaceAll(/\$(namespace|job|instance|topic)\b/g, '.*')
}
