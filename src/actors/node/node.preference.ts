// A leader gives way to a voter of higher priority, once that one has been up to date for some time.

import { disappointed, looked, preferredLeader } from '../../rules/priority.ts'
import type { NodeCore } from './node.core.ts'
import { clearTenure } from './node.tenure.ts'
import { heirsOf, isTransferring } from './node.transfer.ts'

/** Looks, once per election timeout, whether somebody else should lead. */
export function giveWay(core: NodeCore): void {
  const { office, configuration, id: self, commitIndex } = core
  if (office === null || configuration.priorities === undefined || isTransferring(core)) return
  const nowMs = core.clock.nowMs()
  const { electionTimeoutMs } = core.tuning
  const heirs = heirsOf(core, nowMs)
  const found = preferredLeader({ configuration, self, commitIndex, heirs, electionTimeoutMs })
  const { preference, transferTo } = looked(office.preference, found)
  office.preference = preference
  if (transferTo === null) return
  core.logger.info({ group: core.group, term: core.term, to: transferTo }, 'Giving way to a higher priority.')
  const asked = ({ ok }: { readonly ok: boolean }): void => {
    if (!ok) office.preference = disappointed(office.preference)
  }
  const to = transferTo
  clearTenure(core, () => core.send({ type: 'transfer', to, atMs: core.clock.nowMs(), asked }))
}
