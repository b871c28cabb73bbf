// `quorate members forget`: the files of a member that was removed are deleted, once the group says that it is none.

import { Argument, Command, Option } from 'commander'
import type { ConfigurationInfo } from '../../api.ts'
import { removeGroupData } from '../../offline/remove-group-data.ts'
import { roleOf } from '../../rules/change.ts'
import type { PeerId } from '../../rules/types.ts'
import { messageOf } from '../../runtime/errors.ts'
import { GroupRemoval } from '../../storage/sqlite/group-removal.ts'
import { StorageError } from '../../storage/storage.ts'
import { withAdmin } from '../admin-session.ts'
import { type ClientFlags, clientOptions, parseName } from '../common-options.ts'
import { type ConfirmFlags, confirm } from '../confirm.ts'
import { CliError, EXIT_CODES_HELP, ExitCode } from '../exit.ts'
import { refuseUnlessMeant } from '../forced-plan.ts'
import { printJson, printLine, say } from '../output.ts'
import { releaseDirectory } from '../serve/claim.ts'
import { formatSize } from '../units.ts'

interface ForgetFlags extends ClientFlags, ConfirmFlags {
  readonly force?: boolean
  readonly confirm?: string
}

export function forgetCommand(): Command {
  const command = new Command('forget').description(
    'delete what a member that was removed keeps on this machine',
  )
  command.addArgument(new Argument('<dir>', 'its files; nobody may run on them'))
  for (const option of clientOptions()) {
    // Nothing is deleted of a group that nobody has named.
    const isGroup = option.attributeName() === 'group'
    command.addOption(
      isGroup
        ? new Option('--group <name>', 'Raft group').makeOptionMandatory().argParser(parseName)
        : option,
    )
  }
  command.option('--yes', 'do not ask')
  command.option('--force', 'the group cannot be asked, or does not matter any more')
  command.addOption(
    new Option('--confirm <name>', "with --force: the group's name, typed once more").argParser(parseName),
  )
  command.addHelpText(
    'after',
    `\nExample:\n  quorate members remove n3 --group demo
  quorate members forget ./n3 --group demo
\nThe group is asked first: while it counts the member nothing is deleted. Other groups in the directory stay as they are.
What is broken off is finished by asking again.\n${EXIT_CODES_HELP}`,
  )
  return command.action((dataDir: string) => forget(dataDir, command.opts<ForgetFlags>()))
}

async function forget(dataDir: string, flags: ForgetFlags): Promise<void> {
  const { group, json, force, confirm: typed } = flags
  const id = ownerOf(dataDir, group)
  if (force === true || typed !== undefined)
    refuseUnlessMeant({ ...{ typed, group, flag: '--confirm' }, ...(force === undefined ? {} : { force }) })
  else {
    refuseIfMember(await askGroup(flags), id, group)
    await confirm(`Delete what ${id} keeps of group ${group} in ${dataDir}?`, flags)
  }
  const log = { debug() {}, info() {}, warn: (_: object, message: string) => say(message), error() {} }
  // The group has spoken, or an operator: what the files say of themselves is older.
  const { freedBytes } = await removeGroupData({ dataDir, id, group, force: true, logger: log })
  await releaseDirectory(dataDir, group)
  if (json === true) printJson({ group, member: id, data: dataDir, forgotten: true, freedBytes })
  else printLine(`${dataDir} holds nothing of group ${group} any more: ${formatSize(freedBytes)} are free.`)
}

/** @throws CliError in a sentence when a process runs on them, or the group is not there. */
function ownerOf(dataDir: string, group: string): PeerId {
  let files: GroupRemoval | null = null
  try {
    files = new GroupRemoval(dataDir)
    const { hostId, groups } = files
    if (groups.includes(group)) return hostId
    const there = groups.join(', ') || 'none'
    throw new CliError(ExitCode.USAGE, `${dataDir} holds no group ${group}; it holds ${there}.`)
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'LOCKED') throw error
    throw new CliError(ExitCode.REFUSED, `A member is running on ${dataDir}: stop it first.`)
  } finally {
    files?.close()
  }
}

async function askGroup(flags: ForgetFlags): Promise<ConfigurationInfo> {
  try {
    return await withAdmin(flags, (admin) => admin.members())
  } catch (error) {
    const text = `Nothing was deleted: group ${flags.group} does not say whether it still counts this member (${messageOf(error).replace(/\.$/, '')}). Ask again when it answers, or add --force and --confirm ${flags.group}.`
    throw new CliError(ExitCode.NO_LEADER, text)
  }
}

function refuseIfMember(members: ConfigurationInfo, id: PeerId, group: string): void {
  const role = roleOf(members, id)
  if (role === null) return
  const text = `Nothing was deleted: ${id} is a ${role} of group ${group}, says ${members.leader ?? 'the group'}. Remove it first: quorate members remove ${id} --group ${group}.`
  throw new CliError(ExitCode.REFUSED, text)
}
