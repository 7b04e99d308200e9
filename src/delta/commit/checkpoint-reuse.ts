import { type Footer, isAllNull, type RowGroup, sameSchema } from '../../parquet/footer.ts'
import { type GroupBytes, storedGroup } from '../../parquet/join.ts'
import type { RangeFile } from '../../parquet/range-reader.ts'
import { CREATED_BY } from '../../parquet/writer.ts'
import type { Store } from '../../storage/store.ts'
import { fileKey } from '../protocol/actions.ts'
import { type CheckpointPart, wantedOf } from '../log/checkpoint-part.ts'
import { checkpointParts, FILE_COLUMNS } from '../log/checkpoint-read.ts'
import type { Sidecar } from '../log/checkpoint-schema.ts'
import { asObject, asString, Fields } from '../protocol/fields.ts'
import { type FileAction, notIn } from '../log/live-files.ts'
import type { Checkpoint } from '../log/log-segment.ts'

/** What a checkpoint takes over of the one before it. */
export interface Carried {
  /** Sidecars that stay as they are. */
  readonly sidecars: readonly { readonly sidecar: Sidecar; readonly adds: number }[]
  /** Row groups that are copied, their rows unread. */
  readonly groups: readonly GroupBytes[]
  /** The rest, row by row. */
  rest(): AsyncGenerator<FileAction>
  /** Throws `KD_TABLE_CORRUPT` where a file that was copied from was replaced meanwhile. */
  checkSame(): Promise<void>
}

/** What must hold of a row group that is taken over unread. */
export interface CarryRules {
  /** A file with the columns that are written now. */
  readonly like: Footer
  /** Whether `add.stats` is written. */
  readonly withStats: boolean
  /** Whether sidecars may stay. */
  readonly keepSidecars: boolean
  /** Row groups with fewer rows are put together anew, so that checkpoints do not end in thousands of them. */
  readonly rowsMin: number
}

interface RestOf {
  readonly part: CheckpointPart
  /** Absent for a part in JSON, of which everything is read. */
  readonly from?: { readonly file: RangeFile; readonly group: RowGroup }
}

/**
 * Looks through the checkpoint `before` for what the next one can take over: row groups of ours that hold live files
 * alone, none of which `tail` speaks of. For that their paths are read and nothing else. What is left is read again, row by
 * row, but for what `tail` cancels. Throws `KD_TABLE_CORRUPT`. Spec: "Action Reconciliation", "Sidecar Files".
 */
export async function carryOver(
  store: Store,
  before: Checkpoint | undefined,
  tail: ReadonlyMap<string, FileAction>,
  rules: CarryRules,
): Promise<Carried> {
  const sidecars: { sidecar: Sidecar; adds: number }[] = []
  const groups: GroupBytes[] = []
  const rest: RestOf[] = []
  const opened: [CheckpointPart, RangeFile][] = []
  for (const { part, sidecar } of before === undefined ? [] : await checkpointParts(store, before)) {
    if (part.isJson) {
      rest.push({ part })
      continue
    }
    const file = await part.open()
    opened.push([part, file])
    const held = file.footer.rowGroups.filter(
      (group) => !FILE_COLUMNS.every((column) => isAllNull(group, column)),
    )
    const same: RowGroup[] = []
    for (const group of held) {
      if (fits(file.footer, group, rules) && (await isUntouched(part, file, group, tail))) same.push(group)
      else rest.push({ part, from: { file, group } })
    }
    const adds = same.reduce((sum, { rows }) => sum + rows, 0)
    if (rules.keepSidecars && sidecar !== undefined && same.length === held.length && adds > 0) {
      sidecars.push({ sidecar, adds })
    } else groups.push(...same.map((group) => storedGroup(file, group)))
  }
  return {
    sidecars,
    groups,
    async *rest() {
      for (const { part, from } of rest) {
        const rows =
          from === undefined
            ? part.rows(FILE_COLUMNS)
            : part.groupRows(from.file, from.group, wantedOf(FILE_COLUMNS))
        for await (const some of rows) {
          for await (const actions of part.actionsOf(some, FILE_COLUMNS)) yield* notIn(tail, actions)
        }
      }
    },
    async checkSame() {
      for (const [part, file] of opened) await part.checkSame(file)
    },
  }
}

/** Whether a row group is one of ours with files of the table alone, in the columns that are written now. */
function fits(footer: Footer, group: RowGroup, { like, withStats, rowsMin }: CarryRules): boolean {
  if (group.rows < rowsMin || footer.createdBy !== CREATED_BY || !sameSchema(footer, like)) return false
  const others = new Set(group.chunks.map(({ path }) => path[0] as string).filter((top) => top !== 'add'))
  if (![...others].every((top) => isAllNull(group, top))) return false
  const chunk = (field: string): RowGroup['chunks'][number] | undefined =>
    group.chunks.find(({ path }) => path[0] === 'add' && path[1] === field)
  const stats = chunk('stats')
  const noText = stats !== undefined && stats.nulls === stats.values
  const hasStruct = chunk('stats_parsed') !== undefined
  return chunk('path')?.nulls === 0 && (withStats ? !(noText && hasStruct) : noText)
}

/** Whether no commit after the checkpoint speaks of a file of the row group. */
async function isUntouched(
  part: CheckpointPart,
  file: RangeFile,
  group: RowGroup,
  tail: ReadonlyMap<string, FileAction>,
): Promise<boolean> {
  if (tail.size === 0) return true
  const isKey = ([top, field]: readonly string[]): boolean =>
    top === 'add' && (field === 'path' || field === 'deletionVector')
  for await (const rows of part.groupRows(file, group, isKey)) {
    const isFree = part.checked(() => {
      for (const body of rows.bodiesOf('add')) if (tail.has(keyOf(body))) return false
      return true
    })
    if (!isFree) return false
  }
  return true
}

function keyOf(body: unknown): string {
  const fields = new Fields(body, 'add')
  const path = fields.required('path', asString)
  const deletionVector = fields.optional('deletionVector', asObject)
  return fileKey(deletionVector === undefined ? { path } : { path, deletionVector })
}
