// What the checker holds a group to, by number: the one list of all invariants. docs/invariants.md says where each is
// checked, which rule upholds it, and which planted bugs break it.

export const PROMISES = {
  'INV-0':
    'Liveness. When the storm is over and a majority is up: a leader within 20 election timeouts, no further election, every call answered, all states equal.',
  'INV-1': 'Election safety. A term has one leader at most, and a majority has promised it its votes.',
  'INV-2':
    'One vote per term and member, over all its lives, and durable before anybody hears of it. The same goes for each term that a message names. Pre-votes change nothing.',
  'INV-3': 'Terms only grow, in memory, on disk and over restarts: never below what was said.',
  'INV-4': 'A leader neither removes nor overwrites entries of its own log while it leads.',
  'INV-5':
    'Log matching. Equal terms at an index mean equal entries there and before, and a position (term, index) has one value for ever.',
  'INV-6':
    "Leader completeness. Who takes office has every entry that was committed in earlier terms, and in each possible majority somebody's log is as new as what is committed.",
  'INV-7':
    'State machine safety. All members apply the same entries in the same order, each once in a life, nothing that is not committed, and come to the same states.',
  'INV-8':
    'Commit rule. A leader commits only through an entry of its own term that a majority (of both halves while joint) has durably at that moment, itself counted only by its own disk.',
  'INV-9':
    'In one life commit index and applied index never decrease, and applied ≤ committed ≤ end of the log.',
  'INV-10':
    'A follower commits what the leader committed, and no further than the frame has verified its log.',
  'INV-11':
    "An acknowledgement is true when it leaves: durable up to its index, equal to the leader's log, in the same term; and it stays true in that term.",
  'INV-12':
    'Nothing committed is removed or overwritten, and a truncation begins where entries really differ.',
  'INV-13':
    'Configurations. The newest one in the log is in force from when it is appended, and the one before returns when it is truncated (a); all majorities of two that follow each other meet (b); a change that was begun is carried on (f); users hear of final ones only, once committed (g).',
  'INV-14':
    'The history of clients is linearizable: some order explains every result and keeps what came before what. An unknown outcome may have happened later, or never.',
  'INV-15':
    "Lease safety. At no true moment do two members hold a valid lease, nobody commits in a later term under somebody's lease, and who has answered a leader keeps its vote back for as long, also after a restart.",
  'INV-16':
    'A linearizable read shows everything that was acknowledged, or shown by another, before it began.',
  'INV-17':
    'Every call is completed once: never twice, never inside the call itself, never left open when all is quiet or closed; proposals of one office in the order of the log.',
  'INV-18':
    'Truthful completion. "Done" means that this very command is committed at the index named; "certainly not" means that it is not and never will be; "unknown" is said only of what was handed to the log.',
  'INV-19':
    'When every member loses its power at one instant, what was acknowledged is there on the next leader, in its order.',
  'INV-20':
    'Snapshots. One stands for the committed log up to its index: state, term and configuration are those that were in force there. It is durable before anything rests on it, loaded whole, and nobody goes back behind it.',
  'INV-21':
    'No gap. The indexes of a log are contiguous, and it begins at 1 or where a durable snapshot ends, whose last term it knows.',
  'INV-22':
    'Fail-stop. After a failed write, damaged data or a state machine that threw, nothing that rests on it leaves the member.',
  'INV-23':
    'Hooks come in order: an office begins (after everything earlier is applied) and ends, in growing terms; following likewise; an error once; nothing after the shutdown.',
  'INV-24':
    'Bounded resources. After the shutdown of a member no timer, subscription, call or handle of it is left; a member keeps one snapshot, an unfinished copy, and what is read; of the log behind it no more than somebody may want.',
  'INV-25': 'Determinism. The same seed on the same sources gives the same trace, line by line.',
  'INV-26':
    'Witnesses. A witness keeps no payload, stands for no election and leads nobody; nobody leads who lacks payload of its log; what is committed is durable with its payload somewhere.',
  'INV-27':
    'Sessions. A command of a session is carried out by the first of its entries, on every member; by no other, and by none when its session has expired, was closed, or is not known.',
} as const satisfies Readonly<Record<`INV-${number}`, string>>

export type InvariantName = keyof typeof PROMISES

export function isInvariantName(text: string): text is InvariantName {
  return Object.hasOwn(PROMISES, text)
}
