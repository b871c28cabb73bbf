// Everybody who calls himself a member of a group, asked in a moment: also those who wait to be added.

import type { QuorateAdmin } from '../../client/admin.ts'
import type { GroupStatus } from '../../client/status.ts'

const STATUS_WAIT_MS = 500

export function statusOfEverybody(
  admin: QuorateAdmin,
  { timeout }: { readonly timeout: number },
): Promise<GroupStatus> {
  return admin.status({ timeoutMs: Math.min(STATUS_WAIT_MS, timeout), everybody: true })
}
