/** Limits of the gRPC front. docs/limits.md lists what each bounds and who is pushed back. */

/**
 * One message from a client. A full request, 8,190 transfers with every field set, has 1,269,452 bytes.
 * A longer message ends its call with RESOURCE_EXHAUSTED before it is read.
 */
export const REQUEST_BYTES_MAX = 1_310_720;

/** Messages of one SubmitTransfers stream that wait for their answer to be sent; beyond it none is read. */
export const STREAM_REQUESTS_MAX = 4_096;
/** The same as packed records: 65,536 transfers. */
export const STREAM_RECORD_BYTES_MAX = 8 << 20;

/** HTTP/2 window of a stream and of a connection: what a client may send ahead of the server's reading. */
export const WINDOW_BYTES = 4 << 20;
/** Calls that one connection may have open. */
export const CALLS_PER_CONNECTION_MAX = 1_024;

/** WatchEvents streams of one server. Each holds up to one message, some 128 KiB, and 1 MiB of balances. */
export const WATCH_STREAMS_MAX = 64;
/** How often streams that have caught up look for news: one look is two comparisons. */
export const WATCH_LOOK_MS = 25;
