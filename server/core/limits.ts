/** Limits of one server. docs/limits.md lists what each bounds and who is pushed back. */

/** Entries a leader has proposed and not yet seen applied, a unit. More only adds latency. */
export const IN_FLIGHT_ENTRIES_MAX = 8;
/** Sub-batch bytes a leader holds for its next entries, a unit; beyond it requests are refused as overloaded. */
export const QUEUED_BYTES_MAX = 32 << 20;
/** Applied rows that the books don't hold yet, a unit; beyond it the unit stops applying. */
export const UNFOLDED_BYTES_MAX = 64 << 20;
/** Past this many unfolded bytes a leader takes no new entry, so that it pushes back before it has to stop applying. */
export const UNFOLDED_BYTES_SLOW = 32 << 20;
/** The books get a commit when this much is unfolded, or after FOLD_AGE_MS, and none is under way. */
export const FOLD_BYTES = 512 << 10;
export const FOLD_AGE_MS = 500;
/** Request bytes a gateway holds until they are answered; beyond it it reads no more. */
export const GATEWAY_BYTES_MAX = 64 << 20;
export const GATEWAY_REQUESTS_MAX = 65_536;
/** Open crossings sent to a far unit in one sub-batch: its bytes stay well under ENTRY_BYTES_MAX. */
export const DECIDE_ITEMS_MAX = 4_096;
/** Decide sub-batches on their way to one far unit. */
export const DECIDES_IN_FLIGHT_MAX = 8;
/** Pending transfers that one expire entry lists; more wait for the next. */
export const EXPIRE_ITEMS_MAX = 256;
/** Ledgers in the registry: every server keeps them all in memory, and lists them in one answer. */
export const LEDGERS_MAX = 4_096;
/** Memory for the filter of ids that come in no order of time, a unit. It is made when they do. */
export const ID_FILTER_BYTES_MAX = 64 << 20;
export const ID_FILTER_WINDOW_IDS = 65_536;
/** Ids of the books that a turn adds to it. */
export const ID_FILTER_SLICE_IDS = 2_048;
/** Ids one look-up request carries, also the most rows that an account-transfers page has. */
export const READ_ROWS_MAX = 8_190;

/** Rows, and accounts, that one call of a read that pages looks at: a page may end short, and its token leads on. */
export const READ_SCAN_ROWS_MAX = 8_192;
export const READ_SCAN_ACCOUNTS_MAX = 16_384;
/** Rows that each unit gives for a page of many units: at least these, or twice its even share. */
export const READ_UNIT_ROWS_MIN = 512;

/** Reads of a unit are answered for so long a turn; the others wait for the next. */
export const READ_TURN_MS = 5;
/** Events that a feed gives at once, and rows of the books that it reads for their balances: some 8 ms. */
export const FEED_EVENTS_MAX = 256;
export const FEED_ROWS_MAX = 1_024;
/** Accounts whose balances a feed carries on; those of others it looks up again. 4.3 MiB. */
export const FEED_ACCOUNTS_MAX = 65_536;

/**
 * A request without an answer is sent again after so many times what answers of its unit take of late, within
 * these bounds, doubling with every try. A loss mostly shows itself otherwise (new leader, broken
 * connection), and repeating what only waits makes it wait longer.
 */
export const RESEND_ANSWER_TIMES = 5;
export const RESEND_MS_MIN = 1_000;
export const RESEND_MS_MAX = 20_000;
/** What answers are taken to need before the first has come. */
export const ANSWER_MS_AT_FIRST = 500;
/** A refused request waits this long, doubling up to the maximum, unless a new leader is known before. */
export const REFUSED_MS_MIN = 5;
export const REFUSED_MS_MAX = 100;
/** An event that met an open crossing of its id is asked again after this, doubling up to the maximum. */
export const IN_FLIGHT_MS_MIN = 5;
export const IN_FLIGHT_MS_MAX = 100;

/** Servers of a cluster, and how far a learner's log may be behind when it becomes a voter. */
export const SERVERS_MAX = 32;
export const CLOSE_ENTRIES = 64;
/** How often a leader looks whether its group has the members that the registry names. */
export const MEMBERS_STEP_MS = 100;
/** Heard from within this time: such a server answers. */
export const HEARD_MS = 1_000;

/** A leader that isn't its unit's preferred server hands over when that one was in touch for this long. */
export const HOMING_STEADY_MS = 3_000;
/** How often is looked whether a leader may go home. */
export const HOMING_SCAN_MS = 50;
/** Out of touch, or too far behind, for longer than this: the time above starts anew. */
export const HOMING_SILENCE_MS = 200;
/** One hand-over a server in this time; out of a zone that is drained they follow faster. */
export const HOMING_PAUSE_MS = 500;
export const DRAIN_PAUSE_MS = 20;
/** The pause doubles with each hand-over that was given up, up to this. */
export const HOMING_PAUSE_MS_MAX = 8_000;
/** A hand-over that has not happened by then is given up. */
export const HOMING_GIVE_UP_MS = 500;

/** After a leader's death the servers of its city campaign this much apart, and the remote ones start so late. */
export const SUCCESSION_STEP_MS = 50;
export const SUCCESSION_REMOTE_MS = 100;

/**
 * A unit without a leader for so long, or a leader without a word: this server may be cut off. The first is longer
 * than an election in the city takes, the second than any one read.
 */
export const LEADERLESS_MS_MAX = 700;
export const LEADER_SILENT_MS_MAX = 1_400;

/** Chunks of 256 KiB of a copy of books that were sent and have not been taken: 2 MiB at each end. */
export const COPY_WINDOW_CHUNKS = 8;
/** Nothing came of a copy: the leader is asked again. */
export const COPY_AGAIN_MS = 1_000;
/** Nothing is heard of a copy for so long: it is given up. A look through a large table takes some seconds. */
export const COPY_SILENCE_MS_MAX = 20_000;
/** A copy that takes longer is given up, for the log and the WAL of the books grow meanwhile. */
export const COPY_SESSION_MS_MAX = 900_000;
/** The leader's log is kept for whoever has just copied: to install the books, and to be sent what follows. */
export const COPY_PIN_MS = 30_000;

/** A disk or an event loop that stands for so long makes its server give its groups away. */
export const STALL_MS = 150;
/** So far off the median of all servers' clocks a leader proposes nothing more and gives its groups away. */
export const CLOCK_OFF_MS_MAX = 500;
/** A sick server may lead again when nothing was wrong for so long. */
export const SICK_STEADY_MS = 3_000;
/**
 * A group without any leader for so long takes even a sick one: it may be the only one that has all entries, as where
 * the other survivor is remote. Longer than that one's own turn takes, see SUCCESSION_REMOTE_MS.
 */
export const SICK_LEADERLESS_MS_MAX = 400;
/** A transfer away from a sick server that has not happened by then: it resigns. */
export const RETREAT_GIVE_UP_MS = 100;
/** A peer that was not heard for longer counts as neither fit nor as a witness of the time. */
export const PEER_FRESH_MS = 300;
/** An answer that took longer says nothing of a peer's clock. */
export const CLOCK_RTT_MS_MAX = 200;

/** How often the room on the disk is looked at. */
export const DISK_ROOM_MS = 1_000;
/** So long a request is repeated while its leader's disk is full: another may take over. Then it is refused. */
export const DISK_FULL_MS_MAX = 1_000;

/** How often the log looks whether to copy entries out of its oldest segment, and how much it copies then. */
export const LOG_TIDY_MS = 100;
export const LOG_TIDY_BYTES = 1 << 20;

/** How often a unit looks whether entries of its log may go. */
export const COMPACT_MS = 2_000;
/**
 * What a unit's log grows to for a peer that is in touch and lags, or copies the books: so many times what it is to
 * keep, and at least so many bytes. With less a copy would be too old before it is installed, for ever.
 */
export const LOG_KEEP_TIMES_MAX = 4;
export const LOG_NEEDED_BYTES_MIN = 64 << 20;
