import { subscribe } from 'node:diagnostics_channel';
import type { ServerHttp2Stream } from 'node:http2';
import { type ChannelOptions, type MethodDefinition, Server } from '@grpc/grpc-js';
import {
  GRPC_MESSAGE_BYTES_MAX,
  KEEPALIVE_MS,
  KEEPALIVE_TIMEOUT_MS,
  WINDOW_BYTES,
} from './limits.ts';

export const LANE_PATH = '/evenkeel.v1.Peers/Lane';

/** Frames are encoded and decoded by us: to gRPC they are bytes. */
export const LANE_METHOD: MethodDefinition<Uint8Array, Uint8Array> = {
  path: LANE_PATH,
  requestStream: true,
  responseStream: true,
  requestSerialize: asBuffer,
  requestDeserialize: (bytes) => bytes,
  responseSerialize: asBuffer,
  responseDeserialize: (bytes) => bytes,
};

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const COMMON_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': GRPC_MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': GRPC_MESSAGE_BYTES_MAX,
  'grpc.keepalive_time_ms': KEEPALIVE_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.enable_channelz': 0,
};

export const CHANNEL_OPTIONS: ChannelOptions = {
  ...COMMON_OPTIONS,
  // A connection a lane: channels would otherwise share one.
  'grpc.use_local_subchannel_pool': 1,
  // A stream is opened again by us, who know what is still worth sending.
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
};

/** A gRPC server for peers alone; users have one of their own, with other limits. */
export function createPeerServer(): Server {
  widenWindows();
  return new Server(COMMON_OPTIONS);
}

let widened = false;

/**
 * grpc-js has no option for the windows that its server grants. Node publishes every stream that a server opens:
 * ours get theirs there.
 */
function widenWindows(): void {
  if (widened) return;
  widened = true;
  subscribe('http2.server.stream.created', (event) => {
    const { stream, headers } = event as {
      stream: ServerHttp2Stream;
      headers: Record<string, unknown>;
    };
    if (headers[':path'] !== LANE_PATH) return;
    stream.session?.setLocalWindowSize(WINDOW_BYTES);
    stream.session?.settings({ initialWindowSize: WINDOW_BYTES });
  });
}
