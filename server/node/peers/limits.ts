/** Limits of the links between servers: each bounds memory or time, and says what happens beyond it. */

/**
 * Encoded bytes of one message. An entry holds at most 1 MiB and an append about as much; a larger one is a
 * defect of the sender and is thrown back at it, since it could never arrive.
 */
export const MESSAGE_BYTES_MAX = 4 << 20;
/** Encoded bytes of one frame: a frame is closed before the message that would pass this. */
export const FRAME_BYTES_MAX = 4 << 20;
/** gRPC's own limit: a full frame and its framing. */
export const GRPC_MESSAGE_BYTES_MAX = FRAME_BYTES_MAX + (64 << 10);

/** Control messages waiting for one peer. They are small and repeated each heartbeat. */
export const CONTROL_QUEUE_BYTES_MAX = 1 << 20;
/** Bulk messages waiting for one peer. Beyond a queue's bound the oldest are dropped and counted. */
export const BULK_QUEUE_BYTES_MAX = 32 << 20;
/**
 * Bytes of a lane given to gRPC and not yet to the kernel. No frame is written beyond it: so a slow peer costs its
 * queue, this and one frame, and never more.
 */
export const UNWRITTEN_BYTES_MAX = 4 << 20;
/**
 * HTTP/2 flow-control window a receiver grants a stream and a connection. The default of 64 KiB costs an append of
 * 1 MiB sixteen turns of both event loops.
 */
export const WINDOW_BYTES = 8 << 20;

/** What waits for a connection longer than this is dropped: by then it has been repeated, or is out of date. */
export const HELD_UNCONNECTED_MS = 500;

/** Pause before trying to connect again, doubling from the first to the last; half of it is random. */
export const BACKOFF_MS_MIN = 10;
export const BACKOFF_MS_MAX = 500;
/** A connection attempt, and a welcome, that take longer count as silence: no proof that the peer is dead. */
export const CONNECT_MS_MAX = 1_000;
export const WELCOME_MS_MAX = 2_000;
/**
 * HTTP/2 pings on an idle or blocked connection, and how long the answer may take. Past both the connection is opened
 * anew, or TCP's own repeats, minutes apart after a long silence, would decide when a healed link works again.
 */
export const KEEPALIVE_MS = 5_000;
export const KEEPALIVE_TIMEOUT_MS = 5_000;
/** While a link is emulated as silent, how often it is looked at again for a connection to open. */
export const SILENT_POLL_MS = 50;

/** Payloads up to this are copied into shared chunks; larger ones get a buffer each. */
export const ARENA_SHARED_BYTES_MAX = 32 << 10;
/** Size of a shared chunk: the most that one kept payload can hold in memory beside itself. */
export const ARENA_CHUNK_BYTES = 64 << 10;
