// The kinds of campaign: from which field their faults are drawn.

/**
 * `swarm` draws from everything survivable; the next three, and `membership`, only from their field. In most groups of `membership` the members
 * come and go, most of them begin joint, and processes crash and networks part meanwhile.
 * In `groups` the same processes carry other groups too, most of them idle: everything survivable goes wrong, and whoever sleeps
 * has to wake up.
 * `unsurvivable` adds wiped, lying and replaced disks on any member: no wrong answer may be given, availability is
 * not asked for, and the checker has to be told which members to waive.
 */
export const PROFILES = ['swarm', 'network', 'disk', 'clock', 'membership', 'groups', 'unsurvivable'] as const
export type Profile = (typeof PROFILES)[number]
