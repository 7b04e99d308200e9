import { CREATED_BY } from '../../parquet/created-by.ts'
import { type Footer, isAllNull, type RowGroup, hasSameSchema } from '../../parquet/footer.ts'
import { type RowGroupSource, storedRowGroupOf } from '../../parquet/join.ts'
import type { RangeFile } from '../../parquet/range-reader.ts'
import type { Store } from '../../storage/store.ts'
import { logicalFileKey } from '../protocol/actions.ts'
import { type CheckpointPart, leafFilterOf } from '../log/checkpoint-part.ts'
import { listCheckpointParts, FILE_COLUMNS } from '../log/checkpoint-read.ts'
import type { Sidecar } from '../log/checkpoint-schema.ts'
import { asObject, asString, JsonFields } from '../protocol/fields.ts'
import { type FileAction, skipCancelled } from '../log/live-files.ts'
import type { Checkpoint } from '../log/log-segment.ts'

/** Holds the parts of the previous checkpoint that the next one reuses. */
export interface ReusedCheckpoint {
  /** Sidecars that are referenced again unchanged. */
  readonly sidecars: readonly { readonly sidecar: Sidecar; readonly adds: number }[]
  /** Row groups that are copied without decoding their rows. */
  readonly groups: readonly RowGroupSource[]
  /** Yields the remaining file actions, which are decoded. */
  remainingFiles(): AsyncGenerator<FileAction>
  /**
   * Checks that no file was replaced since its row groups were chosen.
   * @throws KD_TABLE_CORRUPT if one was
   */
  assertUnchanged(): Promise<void>
}

/** States the requirements for row groups and sidecars that are reused without decoding. */
interface ReuseRules {
  /** Footer with the columns of the new checkpoint. */
  readonly like: Footer
  /** True if the new checkpoint has `add.stats`. */
  readonly withStats: boolean
  /** True if sidecars may be referenced again. */
  readonly keepSidecars: boolean
  /** Row groups with fewer rows are merged, so that checkpoints do not accumulate thousands of them. */
  readonly rowsMin: number
}

interface RemainingRows {
  readonly part: CheckpointPart
  /** Absent for a JSON part, which is read as a whole. */
  readonly from?: { readonly file: RangeFile; readonly group: RowGroup }
}

/**
 * Finds what the next checkpoint can reuse of the checkpoint `before`: row groups written by this package that hold
 * only live files, none of which occurs in `tail`. Only paths are read for this. The remaining rows are decoded,
 * without those that `tail` replaces. Spec: "Action Reconciliation", "Sidecar Files".
 * @throws KD_TABLE_CORRUPT
 */
export async function reuseCheckpoint(
  store: Store,
  before: Checkpoint | undefined,
  tail: ReadonlyMap<string, FileAction>,
  rules: ReuseRules,
): Promise<ReusedCheckpoint> {
  const sidecars: { sidecar: Sidecar; adds: number }[] = []
  const groups: RowGroupSource[] = []
  const rest: RemainingRows[] = []
  const opened: [CheckpointPart, RangeFile][] = []
  for (const { part, sidecar } of before === undefined ? [] : await listCheckpointParts(store, before)) {
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
      if (isReusable(file.footer, group, rules) && (await isUntouched(part, file, group, tail)))
        same.push(group)
      else rest.push({ part, from: { file, group } })
    }
    const adds = same.reduce((sum, { rows }) => sum + rows, 0)
    if (rules.keepSidecars && sidecar !== undefined && same.length === held.length && adds > 0) {
      sidecars.push({ sidecar, adds })
    } else groups.push(...same.map((group) => storedRowGroupOf(file, group)))
  }
  return {
    sidecars,
    groups,
    async *remainingFiles() {
      for (const { part, from } of rest) {
        const rows =
          from === undefined
            ? part.rows(FILE_COLUMNS)
            : part.groupRows(from.file, from.group, leafFilterOf(FILE_COLUMNS))
        for await (const some of rows) {
          for await (const actions of part.actionsOf(some, FILE_COLUMNS)) yield* skipCancelled(tail, actions)
        }
      }
    },
    async assertUnchanged() {
      for (const [part, file] of opened) await part.assertUnchanged(file)
    },
  }
}

/**
 * Tells whether a row group was written by this package, holds only files of the table, and has the columns of the new
 * checkpoint.
 */
function isReusable(footer: Footer, group: RowGroup, { like, withStats, rowsMin }: ReuseRules): boolean {
  if (group.rows < rowsMin || footer.createdBy !== CREATED_BY || !hasSameSchema(footer, like)) return false
  const others = new Set(group.chunks.map(({ path }) => path[0] as string).filter((top) => top !== 'add'))
  if (![...others].every((top) => isAllNull(group, top))) return false
  const chunk = (field: string): RowGroup['chunks'][number] | undefined =>
    group.chunks.find(({ path }) => path[0] === 'add' && path[1] === field)
  const stats = chunk('stats')
  const noText = stats !== undefined && stats.nulls === stats.values
  const hasStruct = chunk('stats_parsed') !== undefined
  return chunk('path')?.nulls === 0 && (withStats ? !(noText && hasStruct) : noText)
}

/** Tells whether no commit after the checkpoint has an action for a file of the row group. */
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
    const isFree = part.orCorrupt(() => {
      for (const body of rows.bodiesOf('add')) if (tail.has(keyOf(body))) return false
      return true
    })
    if (!isFree) return false
  }
  return true
}

function keyOf(body: unknown): string {
  const fields = new JsonFields(body, 'add')
  const path = fields.required('path', asString)
  const deletionVector = fields.optional('deletionVector', asObject)
  return logicalFileKey(deletionVector === undefined ? { path } : { path, deletionVector })
}
